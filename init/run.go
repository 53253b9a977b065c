package supervisor

import (
	"errors"
	"time"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/hold"
	"github.com/cginit/cginit/init/life"
	"github.com/cginit/cginit/init/proc"
)

// run is one life of a command, and what else the supervisor knows of it.
type run struct {
	life.Run
	spec   *config.Spec
	name   string // the name that people see: web, web/health
	job    *job   // the job that it belongs to
	owner  *run   // the run that a step or probe belongs to and ends with; nil: none
	number int
	level  hold.Level

	place      int32 // the index of the run in those that live
	attendants int32 // the number of its steps and probes that have not ended

	held     hold.Containment // nil before the first start
	book     book             // the contents of the receipt so far
	said     string           // the output of a health check
	pipes    *pipes           // our ends of the run's output; nil: it does not go through us
	patience *patience        // nil: no kill has been in vain; see patient

	role      role // what the run is for
	executed  bool // the main process has executed the command
	failed    bool // the exec helper could not execute the command
	isProbe   bool // a health check by HTTP or TCP, done by our own binary
	paused    bool // a client has frozen the run
	still     bool // the run is paused and all of it stands still
	unreaped  bool // what is left of the run is dead, and tracers keep it from being waited for
	abandoned bool // the start was given up, and its processes have been listed
	accounted bool // the usage has been read
}

// role is what a run is for.
type role uint8

// The roles: the command of the job itself, its steps, and its health checks.
const (
	roleMain role = iota
	rolePreStart
	rolePostStart
	rolePreStop
	roleHealth
)

// newRun returns a run that has not been started.
func newRun(spec *config.Spec) *run {
	return &run{Run: *life.NewRun(spec), spec: spec, name: spec.Name}
}

// pid returns the pid of the main process, 0 before its start. r may be nil.
func (r *run) pid() int {
	if r == nil || r.held == nil {
		return 0
	}
	return r.held.Main().Pid
}

// setMain makes another process the main process. The error says why that is not possible.
func (r *run) setMain(pid int) error {
	switch {
	case r.Status() != nil:
		return errors.New("the main process has ended")
	case r.IsStopping():
		return errors.New("the job is stopping")
	case r.spec.Ready.Kind == config.ReadyForking:
		return errors.New("with ready: forking the main process ends, and its daemon is the job")
	}
	return r.held.SetMain(pid)
}

// shownPid returns the pid that people see: that of the main process, or of the daemon that it has
// left (ready: forking). As a daemon counts the oldest process whose parent is the adopter. 0: there
// is none. r may be nil.
func (r *run) shownPid() int {
	if r == nil || r.held == nil || !r.IsDaemon() {
		return r.pid()
	}
	var oldest proc.Process
	pids, _ := r.held.Procs()
	for _, p := range proc.Living(pids) {
		if p.PPid == r.held.Adopter() && (oldest.Pid == 0 || p.Start < oldest.Start) {
			oldest = p
		}
	}
	return oldest.Pid
}

// isStarted tells whether the command has been executed and the run has not ended. r may be nil.
func (r *run) isStarted() bool { return r != nil && r.State() != life.RunEnded && r.executed }

// isStuck tells whether something of the run cannot be killed. r may be nil.
func (r *run) isStuck() bool { return r != nil && r.State() == life.RunStuck }

// patient returns the patience of the run.
func (r *run) patient() *patience {
	if r.patience == nil { // nearly all runs do without
		r.patience = &patience{}
	}
	return r.patience
}

// patience tells how long a kill has been in vain.
type patience struct {
	killError error     // the error of the last kill
	onlyDead  time.Time // since when all that is left is dead but was not waited for; zero: it is not so
	hopeless  time.Time // since when no remaining process can die; zero: some can
	remaining int       // the number of processes at that time
	listed    int       // the number of processes when it was last looked
}
