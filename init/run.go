package supervisor

import (
	"time"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/hold"
	"github.com/cginit/cginit/init/life"
)

// run is one life of a command, and what the supervisor knows of it beside that life.
type run struct {
	*life.Run
	spec   *config.Spec
	name   string // for people: web, web/health
	job    *job   // whose run it is
	role   role   // what the run is for
	owner  *run   // inside whose containment it is; nil: it has one of its own
	number int
	level  hold.Level

	held     hold.Containment // nil before the first start
	executed bool             // the main process executes the command
	failed   bool             // the exec helper could not execute the command
	book     book             // what the receipt will say
	isProbe  bool             // it is a health check by HTTP or TCP: our own binary
	said     string           // what a health check wrote
	pipes    *pipes           // what is read of the run's output; nil: nothing is
	paused   bool             // somebody asked for the run to stand still
	still    bool             // and it does

	abandoned bool // what is left of a start that was given up has been listed
	accounted bool // the accounts have been read
	patience  patience
}

// role is what a run is for.
type role int

// The roles: the job itself, its steps, and its health checks.
const (
	roleMain role = iota
	rolePreStart
	rolePostStart
	rolePreStop
	roleHealth
)

func newRun(spec *config.Spec) *run {
	return &run{Run: life.NewRun(spec), spec: spec, name: spec.Name}
}

// pid returns the pid of the main process, 0 before its start.
func (r *run) pid() int {
	if r == nil || r.held == nil {
		return 0
	}
	return r.held.Main().Pid
}

// isStarted tells whether the command has been executed, and something of the run may be there.
func (r *run) isStarted() bool { return r != nil && r.State() != life.RunEnded && r.executed }

// isStuck tells whether something of the run cannot be killed.
func (r *run) isStuck() bool { return r != nil && r.State() == life.RunStuck }

// patience is how long a kill has been in vain.
type patience struct {
	killError error     // of the last kill
	hopeless  time.Time // since when nothing that is left can die; zero: it is not so
	remaining int       // how many processes that is
}
