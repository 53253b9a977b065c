package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"
)

// envPrefix begins the name of every variable of cginit: --stop-signal is CGINIT_STOP_SIGNAL.
const envPrefix = "CGINIT_"

// DefaultGracePeriod is the default of --stop-grace-period. Of the ten seconds that docker stop gives it
// leaves one for the kill and the receipt.
const DefaultGracePeriod = 9 * time.Second

// DefaultFile is the configuration file that is read if there is neither a command nor --config.
const DefaultFile = "/etc/cginit.yaml"

// Options are the flags of the command line and of the environment.
type Options struct {
	// Job is the command. Without Args there is none, and Config has the files.
	Job Spec
	// Config and Profiles are the files and the profiles for [Load].
	Config, Profiles []string
	// Check asks for the findings about this container and about Config, and starts nothing.
	Check bool
	// JSON prints the findings of Check in JSON.
	JSON bool
	// Detach leaves the supervisor in the background when everything is up.
	Detach bool
	// Socket is the path of the control socket; "none": no control server; empty: not set.
	Socket string
	// Require is the weakest containment that is accepted: cgroup, uid or tree; empty: any.
	Require string
	// BestEffortLimits turns a limit that cannot be enforced from an error into a warning.
	BestEffortLimits bool
	// Report is the file to which receipts are appended; empty: none.
	Report string
	// LogFormat is "text" or "json".
	LogFormat              string
	Verbose, Version, Help bool

	// GracePeriodSet and LogFormatSet are true if the flag was given, with whatever value. Then it wins
	// over the file.
	GracePeriodSet, LogFormatSet bool
}

// Parse reads the flags in args, and takes those that args do not set from env (NAME=VALUE). The rest of
// args is the command, which gets env without the variables of cginit.
func Parse(args, env []string) (*Options, error) { return parse(args, env, DefaultFile) }

// parse does the work of Parse, with another file in place of DefaultFile.
func parse(args, env []string, defaultFile string) (*Options, error) {
	o := &Options{Job: Spec{Name: "main", KillMode: Mixed, Leftovers: LeftoversStop}}
	var limits Limits
	flags := o.flagSet(&limits)
	if err := flags.Parse(args); err != nil {
		return nil, fmt.Errorf("%w (see cginit --help for the flags)", err)
	}
	named := flags.Changed("config")
	if err := setFromEnv(flags, env); err != nil {
		return nil, err
	}
	if o.Version || o.Help {
		return o, nil
	}
	o.Job.Args = flags.Args()
	o.GracePeriodSet, o.LogFormatSet = flags.Changed("stop-grace-period"), flags.Changed("log-format")
	switch _, err := os.Stat(defaultFile); {
	case len(o.Job.Args) > 0 && !named:
		o.Config = nil // the command of a docker run wins over CGINIT_CONFIG of the image
	case len(o.Config) == 0 && !errors.Is(err, fs.ErrNotExist):
		o.Config = []string{defaultFile}
	}
	if err := o.validateFile(flags); err != nil {
		return nil, err
	}
	o.Job.ConsultTable()
	o.Job.Resources = limits.Resources()
	o.Job.Env = slices.DeleteFunc(slices.Clone(env), func(kv string) bool { return strings.HasPrefix(kv, envPrefix) })
	if o.Job.User != nil {
		o.Job.Env = append(slices.DeleteFunc(o.Job.Env,
			func(kv string) bool { return strings.HasPrefix(kv, "HOME=") }),
			"HOME="+o.Job.User.Home)
	}
	return o, o.validate()
}

// flagSet returns the flags, which store their values in o and limits.
func (o *Options) flagSet(limits *Limits) *pflag.FlagSet {
	f := pflag.NewFlagSet("cginit", pflag.ContinueOnError)
	f.SetInterspersed(false) // flags behind the command are the command's
	f.SortFlags = false
	f.Usage = func() {}
	j := &o.Job
	f.Var((*StopSignalValue)(&j.StopSignal), "stop-signal",
		"ask the command to stop with this `signal`, whichever cginit received; auto: the one that is known for the command")
	f.DurationVar(&j.GracePeriod, "stop-grace-period", DefaultGracePeriod,
		"the time from the request to stop until all is killed")
	f.Var(&j.KillMode, "kill-mode",
		"which processes a stop asks: mixed (the command; the others when it has ended, or after half of the grace "+
			"period if it ignores the signal), control-group (all at once), process (the command alone)")
	f.Var(&j.Leftovers, "leftovers",
		"what happens to the other processes when the command ends by itself: stop (ask, then kill), wait (for the "+
			"last one), kill")
	f.DurationVar(&j.Timeout, "timeout", 0, "stop the command after this time (exit status 124)")
	f.Var((*RewriteValue)(&j.Rewrite), "rewrite", "pass the signal FROM on as TO, or drop it (FROM:0); repeatable")
	f.Func("memory", "the most memory and swap together, such as 512m", limits.SetMemory)
	f.Func("cpus", "the most processors, such as 0.5", limits.SetCPUs)
	f.Func("pids-limit", "the most processes and threads at once", limits.SetPids)
	f.Func("user", "run the command as `NAME|UID[:GROUP|GID]`, or auto, a uid that nothing else has",
		func(s string) (err error) {
			j.User, err = ParseUser(s)
			return err
		})
	f.BoolVar(&j.Seal, "seal", false,
		"keep the command from signalling and tracing others, from the cgroup tree and from mounts")
	f.StringArrayVar(&o.Config, "config", nil,
		"run the services and jobs of this `file` (without a command: "+DefaultFile+"); repeatable, later files win")
	f.StringSliceVar(&o.Profiles, "profile", nil, "with a file: select this profile, or all (*); repeatable")
	f.BoolVar(&o.Check, "check", false,
		"start nothing; print what this container can guarantee and what is wrong with the file")
	f.BoolVar(&o.JSON, "json", false, "with --check: print JSON")
	f.BoolVar(&o.Detach, "detach", false, "return when everything is up, and go on in the background")
	f.StringVar(&o.Socket, "socket", "", "the `path` of the control socket, or none")
	f.StringVar(&o.Require, "require", "", "refuse to start with a weaker containment than this: `cgroup|uid|sealed|tree`")
	f.BoolVar(&o.BestEffortLimits, "best-effort-limits", false,
		"warn about a limit that cannot be enforced, instead of refusing to start")
	f.StringVar(&o.Report, "report", "", "append the receipt of each teardown to this `file`, one JSON object a line")
	f.StringVar(&o.LogFormat, "log-format", "text", "the format of log lines: text or json")
	f.BoolVarP(&o.Verbose, "verbose", "v", false, "log more")
	f.BoolVar(&o.Version, "version", false, "print the version")
	f.BoolVarP(&o.Help, "help", "h", false, "print this text")
	return f
}

// setFromEnv sets the flags that were not given from their variables.
func setFromEnv(flags *pflag.FlagSet, env []string) error {
	var problem error
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed || f.Name == "help" || f.Name == "version" {
			return
		}
		for _, name := range variablesOf(f.Name) {
			value, ok := lookup(env, name)
			if !ok {
				continue
			}
			if err := flags.Set(f.Name, value); err != nil {
				problem = cmp.Or(problem, fmt.Errorf("the environment variable %s=%s: %w", name, value, err))
			}
			return
		}
	})
	return problem
}

// variablesOf returns the variables of a flag. The first one that is set wins.
func variablesOf(flag string) []string {
	name := envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
	if flag == "profile" {
		return []string{name, name + "S", "COMPOSE_PROFILES"}
	}
	return []string{name}
}

// lookup returns the value of a variable in env. The last one of a name wins.
func lookup(env []string, key string) (string, bool) {
	for _, kv := range slices.Backward(env) {
		if k, v, ok := strings.Cut(kv, "="); ok && k == key {
			return v, true
		}
	}
	return "", false
}

// validate checks the values of the flags.
func (o *Options) validate() error {
	switch {
	case len(o.Job.Args) > 0 && o.Job.Args[0] == "":
		return errors.New("the name of the command is empty")
	case o.Job.GracePeriod < 0:
		return fmt.Errorf("--stop-grace-period %s: the time cannot be negative", o.Job.GracePeriod)
	case o.Job.Timeout < 0:
		return fmt.Errorf("--timeout %s: the time cannot be negative", o.Job.Timeout)
	case o.Socket != "" && o.Socket != "none" && !strings.HasPrefix(o.Socket, "/"):
		return fmt.Errorf("--socket %s: it must be an absolute path, or none", o.Socket)
	case o.LogFormat != "text" && o.LogFormat != "json":
		return fmt.Errorf("--log-format %s: it must be text or json", o.LogFormat)
	case !slices.Contains([]string{"", "cgroup", "uid", "sealed", "tree"}, o.Require):
		return fmt.Errorf("--require %s: it must be one of cgroup, uid, sealed, tree", o.Require)
	case o.Job.StopSignal == syscall.SIGKILL || o.Job.StopSignal == syscall.SIGSTOP:
		return fmt.Errorf("--stop-signal %s: no program can catch it; use --stop-grace-period 0 to kill at once",
			SignalName(o.Job.StopSignal))
	}
	return nil
}

// validateFile checks the flags that depend on whether there is a command or a file.
func (o *Options) validateFile(flags *pflag.FlagSet) error {
	switch {
	case len(o.Job.Args) > 0 && len(o.Config) > 0:
		return fmt.Errorf("there are both a command (%s) and --config %s; use one of the two", o.Job.Args[0],
			o.Config[0])
	case len(o.Job.Args) == 0 && len(o.Config) == 0 && !o.Check:
		return fmt.Errorf("no command, and no file %s; use cginit [flags] -- COMMAND [ARG...] or --config FILE "+
			"(see cginit --help)", DefaultFile)
	case o.JSON && !o.Check:
		return errors.New("--json works only with --check")
	case o.Check && o.Detach:
		return errors.New("--check starts nothing, so there is nothing to --detach; use one of the two")
	}
	if len(o.Config) == 0 {
		return nil
	}
	for _, f := range flagScopes {
		if f.scope == commandOnly && flags.Changed(f.name) {
			return fmt.Errorf("--%s is for one command; with --config, write it into the file", f.name)
		}
	}
	return nil
}

// Usage returns the help text.
func Usage() string {
	var o Options
	o.Job = Spec{KillMode: Mixed, Leftovers: LeftoversStop}
	return `cginit runs a command as process 1 of a container (or anywhere else), holds everything that
it starts in a cgroup, and leaves no process behind when it ends.

  cginit [flags] [--] COMMAND [ARG...]
  cginit [flags] [--config FILE]...
  cginit --check [--config FILE]...

` + o.flagSet(new(Limits)).FlagUsagesWrapped(100) + `
Each flag can also be set by a variable: CGINIT_STOP_SIGNAL is --stop-signal. Signals are
passed on to the command. SIGTERM and SIGINT also start the grace period, and what is left at
its end is killed.

Exit status: that of the command, or 128 + the signal that ended it; 124: timed out; 125:
cginit failed, or something could not be killed; 126: the command cannot be executed; 127: the
command is not found.
`
}
