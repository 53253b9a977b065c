// The runtime would keep cpu.max of the cgroup open to choose GOMAXPROCS, which the entry or main sets.
//go:debug containermaxprocs=0

// Command cginit is a container's process 1. It runs a command, or the services and jobs of a file, holds
// everything that each of them starts in a cgroup, and leaves no process behind when one ends. See
// README.md.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"

	supervisor "github.com/cginit/cginit/init"
	"github.com/cginit/cginit/init/child"
	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/init/hold"
	"github.com/cginit/cginit/init/status"
	"github.com/cginit/cginit/internal/birth"
	"github.com/cginit/cginit/internal/release"
	"github.com/cginit/cginit/internal/self"
)

const version = release.Version

func main() {
	if exitStatus, is := child.Run(os.Args); is {
		os.Exit(exitStatus)
	}
	if exitStatus, is := hold.RunGuardian(os.Args); is {
		os.Exit(exitStatus)
	}
	if !birth.HasEntry() { // it sets these
		runtime.GOMAXPROCS(1)
		debug.SetGCPercent(gcPercent)
	}
	env := birth.Environ(os.Environ)
	if args, is := self.Detached.Is(os.Args); is {
		os.Exit(runDetached(args, env))
	}
	os.Exit(run(filepath.Base(os.Args[0]), os.Args[1:], env))
}

// run does what the command line asks for under the name that cginit was called by, and returns the exit
// status.
func run(name string, args, env []string) int {
	if p, ok := personalities[name]; ok {
		return p.run(name, args, env)
	}
	o, err := config.Parse(args, env)
	switch {
	case err != nil:
		return failed(err)
	case o.Version:
		fmt.Println("cginit " + version)
		return 0
	case o.Help:
		fmt.Print(config.Usage())
		return 0
	case o.Check:
		return check(o, env)
	case o.Detach:
		return detach(args)
	}
	return supervise(o, env, nil)
}

// The heap is kept small: it may grow by gcPercent before the garbage in it is collected, and by
// parserGCPercent while the file is read. The entry of the binary sets the first too.
const gcPercent, parserGCPercent = 25, 200

// fewJobs is how many jobs need less memory for their start than another collection of garbage leaves in
// use (0.2 MB).
const fewJobs = 32

// failed prints the reason why nothing was started, and returns the exit status.
func failed(err error) int {
	fmt.Fprintf(os.Stderr, "cginit: %v\n", err)
	return status.Failed
}

// supervise runs the command or the file of the options, and returns the exit status. It tells up when
// everything is up; nil: nobody waits for that.
func supervise(o *config.Options, env []string, up *os.File) int {
	c := configOf(o)
	c.Up = up
	if c.TakesCalls() || len(o.Config) > 0 {
		runtime.GOMAXPROCS(2) // the loop need not wait for whatever a client or a job sends
	}
	if len(o.Config) > 0 {
		c.Load = func() (*config.File, error) { return load(o, env) }
		debug.SetGCPercent(parserGCPercent)
		f, err := c.Load()
		if err != nil {
			return failed(err)
		}
		merge(&c, f, o)
		debug.SetGCPercent(gcPercent)
		debug.FreeOSMemory() // returns the memory that the parser needed
		if len(f.Jobs) > fewJobs {
			c.Settled = debug.FreeOSMemory // returns the memory that the start needed
		}
	}
	exitStatus, _ := supervisor.New(traced(c)).Run()
	return exitStatus
}

// traced adds the file that CGINIT_TRACE names. It is for whoever looks for a fault, and no flag.
func traced(c supervisor.Config) supervisor.Config {
	c.Trace = os.Getenv("CGINIT_TRACE")
	return c
}

// load reads the files, at the start and at each reload. The grace period of the command line wins over
// that of the files.
func load(o *config.Options, env []string) (*config.File, error) {
	f, err := config.Load(o.Config, env, o.Profiles)
	if err != nil {
		return nil, err
	}
	f.Release()
	if o.GracePeriodSet {
		f.GracePeriod = o.Job.GracePeriod
	}
	return f, nil
}

// configOf returns the configuration that the options make without a file.
func configOf(o *config.Options) supervisor.Config {
	return supervisor.Config{
		Command: o.Job, Require: o.Require, BestEffortLimits: o.BestEffortLimits,
		Report: o.Report, LogFormat: o.LogFormat, Verbose: o.Verbose,
		Socket: o.Socket, SocketRequired: o.Socket != "" && o.Socket != "none",
		GracePeriod: o.Job.GracePeriod, Name: "cginit", Version: version,
	}
}

// merge adds a file to a configuration. What the command line sets wins over what the file says. It also
// prints the warnings about the file.
func merge(c *supervisor.Config, f *config.File, o *config.Options) {
	c.File, c.GracePeriod = f, f.GracePeriod
	if o.Socket == "" {
		c.Socket, c.SocketRequired = f.Socket, f.Socket != "" && f.Socket != "none"
	}
	if c.Socket == "" {
		c.Socket = control.DefaultSocket
	}
	if o.Report == "" {
		c.Report = f.Report
	}
	if f.LogFormat != "" && !o.LogFormatSet {
		c.LogFormat = f.LogFormat
	}
	for _, w := range slices.Concat(f.Warnings, f.Cuts(), f.Advice()) {
		fmt.Fprintf(os.Stderr, "cginit: %s\n", w)
	}
}
