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

// envPrefix starts the name of every variable of ours: --stop-signal is CGINIT_STOP_SIGNAL.
const envPrefix = "CGINIT_"

// DefaultGracePeriod leaves one second of the ten that docker stop gives, for the kill and
// the receipt.
const DefaultGracePeriod = 9 * time.Second

// DefaultFile is read where there is neither a command nor --config.
const DefaultFile = "/etc/cginit.yaml"

// Options is what the command line and the environment ask for.
type Options struct {
	Job              Spec     // the command; without arguments there is none, but Config
	Config           []string // files for [Load]
	Profiles         []string // for Load too
	Check            bool     // only say what is guaranteed here, and whether Config is right
	JSON             bool     // with Check: for programs
	Detach           bool     // go on in the background, once all is up
	Socket           string   // of the control server; none: there is none; empty: not said
	Require          string   // the weakest containment that will do; empty: any
	BestEffortLimits bool     // a limit that cannot be enforced is no error
	Report           string   // file for receipts; empty: none
	LogFormat        string   // text or json
	Verbose          bool
	Version          bool
	Help             bool

	// What has a default was given all the same, and so goes before what a file says.
	GracePeriodSet, LogFormatSet bool
}

// Parse reads the flags in args, and in env (KEY=VALUE) those that args do not set. What is
// left of args is the command; it gets env without our own variables.
func Parse(args, env []string) (*Options, error) { return parse(args, env, DefaultFile) }

func parse(args, env []string, defaultFile string) (*Options, error) {
	o := &Options{Job: Spec{Name: "main", KillMode: Mixed, Leftovers: LeftoversStop}}
	var limits Limits
	flags := o.flagSet(&limits)
	if err := flags.Parse(args); err != nil {
		return nil, fmt.Errorf("%w (cginit --help lists the flags)", err)
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
		o.Config = nil // the command of a docker run goes before the image's CGINIT_CONFIG
	case len(o.Config) == 0 && !errors.Is(err, fs.ErrNotExist):
		o.Config = []string{defaultFile}
	}
	if err := o.validateFile(flags); err != nil {
		return nil, err
	}
	o.Job.Resources = limits.Resources()
	o.Job.Env = slices.DeleteFunc(slices.Clone(env), func(kv string) bool { return strings.HasPrefix(kv, envPrefix) })
	if o.Job.User != nil {
		o.Job.Env = append(slices.DeleteFunc(o.Job.Env, func(kv string) bool { return strings.HasPrefix(kv, "HOME=") }),
			"HOME="+o.Job.User.Home)
	}
	return o, o.validate()
}

func (o *Options) flagSet(limits *Limits) *pflag.FlagSet {
	f := pflag.NewFlagSet("cginit", pflag.ContinueOnError)
	f.SetInterspersed(false) // what follows the command is the command's
	f.SortFlags = false
	f.Usage = func() {}
	j := &o.Job
	f.Var((*SignalValue)(&j.StopSignal), "stop-signal", "ask the command to stop with this `signal`, whichever we were sent")
	f.DurationVar(&j.GracePeriod, "stop-grace-period", DefaultGracePeriod, "how long after that it may live; then it is killed")
	f.Var(&j.KillMode, "kill-mode", "whom a stop asks: mixed (the command, then the rest), control-group (all at once), process (the command alone)")
	f.Var(&j.Leftovers, "leftovers", "when the command ends by itself, its other processes: stop (ask, then kill), wait (for the last of them), kill")
	f.DurationVar(&j.Timeout, "timeout", 0, "stop the command when it has run this long (status 124)")
	f.Var((*RewriteValue)(&j.Rewrite), "rewrite", "pass signal FROM on as TO, or not at all (FROM:0); repeatable")
	f.Func("memory", "memory limit, such as 512m", limits.SetMemory)
	f.Func("cpus", "how many processors, such as 0.5", limits.SetCPUs)
	f.Func("pids-limit", "how many processes and threads at once", limits.SetPids)
	f.Func("user", "run the command as `NAME|UID[:GROUP|GID]`, or auto: as a uid that nothing else has", func(s string) (err error) {
		j.User, err = ParseUser(s)
		return err
	})
	f.StringArrayVar(&o.Config, "config", nil, "run the services and jobs of this `file` (else "+DefaultFile+"); of several, the later go over the earlier")
	f.StringSliceVar(&o.Profiles, "profile", nil, "with a file: run what has this profile too; * for all; repeatable")
	f.BoolVar(&o.Check, "check", false, "start nothing: say what this container can guarantee, and whether the file is right")
	f.BoolVar(&o.JSON, "json", false, "with --check: say it in JSON")
	f.BoolVar(&o.Detach, "detach", false, "return when all is up, and go on in the background")
	f.StringVar(&o.Socket, "socket", "", "the `path` of the control socket; none: there is none")
	f.StringVar(&o.Require, "require", "", "refuse to start below this containment: `cgroup|uid|tree`")
	f.BoolVar(&o.BestEffortLimits, "best-effort-limits", false, "go on with a warning where a limit cannot be enforced")
	f.StringVar(&o.Report, "report", "", "append the receipt of the teardown to this `file`, a JSON object a line")
	f.StringVar(&o.LogFormat, "log-format", "text", "text or json")
	f.BoolVarP(&o.Verbose, "verbose", "v", false, "say more")
	f.BoolVar(&o.Version, "version", false, "print the version")
	f.BoolVarP(&o.Help, "help", "h", false, "print this text")
	return f
}

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
				problem = cmp.Or(problem, fmt.Errorf("the environment's %s=%s: %w", name, value, err))
			}
			return
		}
	})
	return problem
}

// variablesOf are the variables of a flag, the first of which counts.
func variablesOf(flag string) []string {
	name := envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
	if flag == "profile" {
		return []string{name, name + "S", "COMPOSE_PROFILES"}
	}
	return []string{name}
}

func lookup(env []string, key string) (string, bool) {
	for _, kv := range slices.Backward(env) {
		if k, v, ok := strings.Cut(kv, "="); ok && k == key {
			return v, true
		}
	}
	return "", false
}

func (o *Options) validate() error {
	switch {
	case len(o.Job.Args) > 0 && o.Job.Args[0] == "":
		return errors.New("the command's name is empty")
	case o.Job.GracePeriod < 0:
		return fmt.Errorf("--stop-grace-period %s: it cannot be negative", o.Job.GracePeriod)
	case o.Job.Timeout < 0:
		return fmt.Errorf("--timeout %s: it cannot be negative", o.Job.Timeout)
	case o.Socket != "" && o.Socket != "none" && !strings.HasPrefix(o.Socket, "/"):
		return fmt.Errorf("--socket %s: it is an absolute path, or none", o.Socket)
	case o.LogFormat != "text" && o.LogFormat != "json":
		return fmt.Errorf("--log-format %s: it is text or json", o.LogFormat)
	case !slices.Contains([]string{"", "cgroup", "uid", "tree"}, o.Require):
		return fmt.Errorf("--require %s: it is one of cgroup, uid, tree", o.Require)
	case o.Job.StopSignal == syscall.SIGKILL || o.Job.StopSignal == syscall.SIGSTOP:
		return fmt.Errorf("--stop-signal %s: no program can heed it; use --stop-grace-period 0 to kill at once", SignalName(o.Job.StopSignal))
	}
	return nil
}

// validateFile checks what depends on whether there is a command or a file.
func (o *Options) validateFile(flags *pflag.FlagSet) error {
	switch {
	case len(o.Job.Args) > 0 && len(o.Config) > 0:
		return fmt.Errorf("there are a command (%s) and --config %s: use one of them", o.Job.Args[0], o.Config[0])
	case len(o.Job.Args) == 0 && len(o.Config) == 0 && !o.Check:
		return fmt.Errorf("no command: cginit [flags] -- COMMAND [ARG...], or --config FILE; and there is no %s (cginit --help says more)", DefaultFile)
	case o.JSON && !o.Check:
		return errors.New("--json goes with --check only")
	case o.Check && o.Detach:
		return errors.New("--check starts nothing that --detach could leave in the background")
	}
	if len(o.Config) == 0 {
		return nil
	}
	for _, f := range flagScopes {
		if f.scope == commandOnly && flags.Changed(f.name) {
			return fmt.Errorf("--%s is for one command: with --config say it in the file", f.name)
		}
	}
	return nil
}

// Usage is the help text.
func Usage() string {
	var o Options
	o.Job = Spec{KillMode: Mixed, Leftovers: LeftoversStop}
	return `cginit runs a command as process 1 of a container (or anywhere else), holds all that it
starts in a cgroup, and when it ends leaves nothing behind.

  cginit [flags] [--] COMMAND [ARG...]
  cginit [flags] [--config FILE]...
  cginit --check [--config FILE]...

` + o.flagSet(new(Limits)).FlagUsagesWrapped(100) + `
Each flag is also a variable: --stop-signal is CGINIT_STOP_SIGNAL. Signals are passed on to
the command; SIGTERM and SIGINT also start the grace period, after which all is killed.

Exit status: the command's own, or 128 + the signal that ended it; 124 timed out; 125 cginit
failed, or something could not be killed; 126 cannot be executed; 127 not found.
`
}
