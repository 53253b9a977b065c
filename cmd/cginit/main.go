// The runtime would keep the cgroup's cpu.max open to choose GOMAXPROCS, which main sets anyway.
//go:debug containermaxprocs=0

// Command cginit is a container's process 1: it runs a command, holds all that it starts in
// a cgroup, and when it ends leaves nothing behind. See README.md.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	supervisor "github.com/cginit/cginit/init"
	"github.com/cginit/cginit/init/config"
)

const version = "0.1.0"

func main() {
	if status, is := supervisor.RunHelper(os.Args); is {
		os.Exit(status)
	}
	// A program that mostly waits: two threads that run are enough (one could be held by a
	// fork), and setting the number ends the runtime's own watch over cpu.max. The heap is
	// kept small; by call, for the environment would go to the command.
	runtime.GOMAXPROCS(2)
	debug.SetGCPercent(25)
	os.Exit(run(filepath.Base(os.Args[0]), os.Args[1:], os.Environ()))
}

func run(name string, args, env []string) int {
	if p, ok := personalities[name]; ok {
		return p.run(name, args, env)
	}
	o, err := config.Parse(args, env)
	switch {
	case err != nil:
		fmt.Fprintf(os.Stderr, "cginit: %v\n", err)
		return supervisor.StatusFailed
	case o.Version:
		fmt.Println("cginit " + version)
		return 0
	case o.Help:
		fmt.Print(config.Usage())
		return 0
	}
	status, _ := supervisor.New(supervisor.Config{
		Job: o.Job, Require: o.Require, Report: o.Report, LogFormat: o.LogFormat, Verbose: o.Verbose,
		Name: "cginit",
	}).Run()
	return status
}
