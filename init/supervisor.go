package supervisor

import (
	"os"
	"time"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/hold"
	"github.com/cginit/cginit/init/life"
	"github.com/cginit/cginit/init/output"
	"github.com/cginit/cginit/init/status"
)

// Config is what a supervisor is to do: one command, or the services and jobs of a file.
type Config struct {
	// Command is that of the command line; without Args there is none.
	Command config.Spec
	// File has the services and jobs; nil: there is no file.
	File *config.File
	// Load reads the file again, for a reload.
	Load func() (*config.File, error)
	// GracePeriod is the budget of the whole shutdown of a file's jobs.
	GracePeriod time.Duration
	// Require is the weakest containment that will do: cgroup, uid, tree; empty: any.
	Require string
	// BestEffortLimits says that a limit that cannot be enforced is a warning, and no error.
	BestEffortLimits bool
	// Report is the file that receipts are appended to; empty: none.
	Report string
	// LogFormat is text or json.
	LogFormat string
	// Verbose says more, Quiet only what went wrong.
	Verbose, Quiet bool
	// Socket is the path of the control socket; empty or none: there is none.
	Socket string
	// SocketRequired says that somebody asked for the socket: without it the start fails.
	SocketRequired bool
	Version        string
	// Name is what log lines start with.
	Name string
	// Up is told when everything is up, and closed; nil: nobody waits.
	Up *os.File
	// Trace is the file that each event of runs and jobs is written to; empty: none.
	Trace string
}

// Supervisor runs jobs from their start until nothing of them is left.
type Supervisor struct {
	config Config
	log    *output.Log
	trace  *trace
	open   func(hold.Options) (*hold.Home, error)
	home   *hold.Home

	jobs     table
	live     runs
	queue    queue
	phase    phase
	shutdown shutdown
	verdict  verdict
	reload   reload
	clock    wallClock // for schedules
	timer    *time.Timer

	inbox    *inbox
	messages chan message
	calls    calls

	reports   reports
	turn      output.Turn // to write what jobs write
	null      *os.File    // what a job reads that nobody gives an input
	terminal  *terminal   // nil: none, or not ours to give
	keyboard  keyboard
	inherited inherited
}

// New makes a supervisor. It starts nothing yet.
func New(c Config) *Supervisor {
	log := output.NewLog(c.Name, c.LogFormat)
	s := &Supervisor{
		config:   c,
		log:      log,
		open:     hold.Open,
		jobs:     table{named: map[string]*job{}},
		reports:  reports{log: log, quiet: c.Quiet, verbose: c.Verbose},
		turn:     output.NewTurn(),
		messages: make(chan message),
	}
	if len(c.Command.Args) > 0 {
		s.jobs.single = s.jobs.add(c.Command)
	}
	if c.File != nil {
		for _, spec := range c.File.Jobs {
			s.jobs.add(spec)
		}
	}
	return s
}

// Run runs the jobs and returns the exit status, and whether anything was started: whatever can fail
// for good fails before that.
func (s *Supervisor) Run() (exitStatus int, started bool) {
	s.inbox = catch()
	if err := s.prepare(); err != nil {
		s.verdict.failure = err
		s.log.Printf("%v", err)
		s.close()
		return status.Failed, false
	}
	s.boot()
	s.reap() // what has died before signals were caught gave none
	s.settle()
	s.loop()
	s.close()
	return s.exitStatus()
}

// exitStatus returns what we answer in the end, and whether anything was started.
func (s *Supervisor) exitStatus() (exitStatus int, started bool) {
	if single := s.jobs.single; single != nil {
		return single.last.ExitStatus, single.last.Cause != life.StartFailed
	}
	j := s.verdict.decisive
	switch {
	case s.live.areStuck():
		return status.Failed, true
	case j == nil && s.phase != phaseEnding: // all work is done, and some of it not well
		j = s.verdict.failedJob
	case j == nil: // somebody asked for the end
		j = s.jobs.essential()
	}
	switch {
	case j == nil:
		return 0, true
	case j.last == nil || j.last.ExitStatus == 0 && s.verdict.badStart != nil:
		return status.Failed, true
	}
	return j.last.ExitStatus, true
}
