package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"

	supervisor "github.com/cginit/cginit/init"
	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/status"
	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"
)

// personality is another init by whose name cginit was called: its flags, its variables and its habits.
// The leftovers of the command are torn down all the same. They get no grace period, because these inits
// end with their command.
type personality struct {
	parse func(p *parsed, args []string) error
	// noExec returns the exit status for a command that was not started, from that of cginit.
	noExec func(status int) int
}

// parsed is the result of the flags of a personality.
type parsed struct {
	job     config.Spec
	verbose int
	pause   bool
	remap   []int    // exit statuses that become 0
	text    string   // a text to print instead of running the command
	to      *os.File // where to print it; nil: run the command
}

// say makes run print a text instead of running the command.
func (p *parsed) say(to *os.File, text string) { p.to, p.text = to, text }

// statusMisused is the exit status of every personality for a wrong command line.
const statusMisused = 1

// personalities maps the names that cginit can be called by to the inits that it then acts as.
var personalities = map[string]personality{
	"podman-init": catatonit, // podman run --init mounts it under this name
	"tini":        tini,
	"docker-init": tini,
	"dumb-init":   {parse: parseDumbInit, noExec: func(int) int { return 2 }},
	"catatonit":   catatonit,
}

// dockerVersion is the output of "docker-init --version". dockerd reads its first two words.
const dockerVersion = "tini version 0.19.0_cginit-" + version

var catatonit = personality{parse: parseCatatonit, noExec: func(int) int { return 1 }}

var tini = personality{parse: parseTini, noExec: func(ours int) int {
	if ours == status.Failed {
		return 1
	}
	return ours
}}

// run does what the command line asks for, and returns the exit status.
func (p personality) run(name string, args, env []string) int {
	in := &parsed{job: config.Spec{
		Name: "main", KillMode: config.Mixed, Leftovers: config.LeftoversKill, ForwardOnly: true, Env: env,
	}}
	if err := p.parse(in, args); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		return statusMisused
	}
	if in.to != nil {
		fmt.Fprint(in.to, in.text)
		return 0
	}
	c := supervisor.Config{
		Command: in.job, Quiet: in.verbose == 0, Verbose: in.verbose > 1, Name: name, LogFormat: "text",
	}
	if in.pause {
		return supervisor.New(c).Pause()
	}
	if len(in.job.Args) == 0 {
		fmt.Fprintf(os.Stderr, "%s: no command; use %s [options] -- COMMAND [ARG...]\n", name, name)
		return statusMisused
	}
	exitStatus, started := supervisor.New(traced(c)).Run()
	switch {
	case !started:
		return p.noExec(exitStatus)
	case slices.Contains(in.remap, exitStatus):
		return 0
	}
	return exitStatus
}

// parseTini parses the flags of tini, which docker run --init runs as docker-init.
func parseTini(p *parsed, args []string) error {
	if len(args) == 1 && args[0] == "--version" {
		p.say(os.Stdout, dockerVersion+"\n")
		return nil
	}
	f := flagSet("tini")
	f.BoolP("subreaper", "s", false, "")
	f.BoolP("warn", "w", false, "")
	group := f.BoolP("group", "g", os.Getenv("TINI_KILL_PROCESS_GROUP") != "", "")
	f.CountVarP(&p.verbose, "verbose", "v", "")
	f.IntSliceVarP(&p.remap, "remap", "e", nil, "")
	var parentDeath config.SignalValue
	f.VarP(&parentDeath, "parent-death", "p", "")
	help, licence := f.BoolP("help", "h", false, ""), f.BoolP("licence", "l", false, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	for _, code := range p.remap {
		if code < 0 || code > 255 {
			return fmt.Errorf("-e %d: an exit code must be from 0 to 255", code)
		}
	}
	p.job.Args, p.job.Group = f.Args(), *group
	if *help || *licence {
		p.say(os.Stdout, about("tini", "-s -p SIGNAL -v -w -g -e CODE -l -h --version"))
		return nil
	}
	if parentDeath != 0 {
		return unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(parentDeath), 0, 0, 0)
	}
	return nil
}

// parseDumbInit parses the flags of dumb-init. Without -c the command leads a session of its own, and
// signals go to its process group.
func parseDumbInit(p *parsed, args []string) error {
	f := flagSet("dumb-init")
	single := f.BoolP("single-child", "c", os.Getenv("DUMB_INIT_SETSID") == "0", "")
	f.VarP((*config.RewriteValue)(&p.job.Rewrite), "rewrite", "r", "")
	f.CountVarP(&p.verbose, "verbose", "v", "")
	help, ver := f.BoolP("help", "h", false, ""), f.BoolP("version", "V", false, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	p.job.Args, p.job.Group, p.job.NewSession = f.Args(), !*single, !*single
	// When the command ends, dumb-init sends SIGTERM to its group and does not wait.
	p.job.Leftovers, p.job.GracePeriod = config.LeftoversStop, 0
	if !*single { // these signals cannot stop the processes of a group that has no shell above it
		for _, sig := range []syscall.Signal{unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU} {
			if _, set := p.job.Rewrite[sig]; !set {
				_ = (*config.RewriteValue)(&p.job.Rewrite).Set(fmt.Sprintf("%d:STOP", sig))
			}
		}
	}
	switch {
	case *help:
		p.say(os.Stdout, about("dumb-init", "-c/--single-child -r/--rewrite FROM:TO -v -h -V"))
	case *ver:
		p.say(os.Stderr, "dumb-init v1.2.5_cginit-"+version+"\n") // dumb-init prints it on stderr too
	}
	return nil
}

// parseCatatonit parses the flags of catatonit, which podman run --init runs.
func parseCatatonit(p *parsed, args []string) error {
	f := flagSet("catatonit")
	group := f.BoolP("group", "g", false, "")
	pause := f.BoolP("pause", "P", false, "")
	help, licence := f.BoolP("help", "h", false, ""), f.BoolP("licence", "L", false, "")
	ver := f.BoolP("version", "V", false, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	p.job.Args, p.job.Group, p.pause = f.Args(), *group, *pause
	switch {
	case *help || *licence:
		p.say(os.Stdout, about("catatonit", "-g -P -L -h -V"))
	case *ver:
		p.say(os.Stdout, dockerVersion+"\n")
	}
	return nil
}

// flagSet returns an empty set of flags that stops at the command.
func flagSet(name string) *pflag.FlagSet {
	f := pflag.NewFlagSet(name, pflag.ContinueOnError)
	f.SetInterspersed(false)
	f.Usage = func() {}
	return f
}

// about returns the help text of a personality.
func about(name, flags string) string {
	return strings.Join([]string{
		"cginit " + version + ", called as " + name + ", takes the flags of " + name + ":",
		"  " + flags,
		"What the command leaves behind when it ends is killed. Apache License 2.0.", "",
	}, "\n")
}
