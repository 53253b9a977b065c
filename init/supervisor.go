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

// Config is what a supervisor is to run: one command, or the services and jobs of a file.
type Config struct {
	// Command is the command of the command line. If its Args are empty there is none.
	Command config.Spec
	// File holds the services and jobs; nil if there is no file.
	File *config.File
	// Load reads the file again, for a reload; nil if there is no file.
	Load func() (*config.File, error)
	// GracePeriod is the budget for the shutdown of all jobs of a file.
	GracePeriod time.Duration
	// Require is the weakest containment to accept: cgroup, uid or tree; empty accepts any.
	Require string
	// BestEffortLimits makes a limit that cannot be enforced a warning and not an error.
	BestEffortLimits bool
	// Report is the file that receipts are appended to; empty means none.
	Report string
	// LogFormat is text or json.
	LogFormat string
	// Verbose also logs what went well, Quiet only what went wrong.
	Verbose, Quiet bool
	// Socket is the path of the control socket; empty or "none" means that there is none.
	Socket string
	// SocketRequired makes the start fail without the socket, because it was asked for.
	SocketRequired bool
	// Version is the version that clients of the control socket see.
	Version string
	// Name is what log lines start with.
	Name string
	// Up is a pipe. Once everything is up, "up\n" is written to it and it is closed; nil means that
	// nobody waits.
	Up *os.File
	// Settled is called once everything is up; nil: nothing is.
	Settled func()
	// Trace is the file that each event of runs and jobs is written to; empty means none.
	Trace string
}

// Supervisor runs jobs from their start until nothing of them is left. [Supervisor.Run] is its
// loop.
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
	clock    wallClock // wakes the loop at the times of schedules
	alarm    alarm     // wakes the loop at the nearest deadline

	inbox     *inbox
	flood     flood
	isReaping bool
	messages  chan message
	calls     calls

	reports   reports
	turn      output.Turn // held by the goroutine that writes the output of a job
	null      *os.File    // the input of jobs that have no other; nil: no job needs one
	terminal  *terminal   // our controlling terminal; nil: none, or the command cannot take it
	keyboard  keyboard
	inherited inherited
}

// New returns a supervisor. It does not start anything yet.
func New(c Config) *Supervisor {
	log := output.NewLog(c.Name, c.LogFormat)
	s := &Supervisor{
		config:   c,
		log:      log,
		open:     hold.Open,
		reports:  reports{log: log, quiet: c.Quiet, verbose: c.Verbose},
		turn:     output.NewTurn(),
		messages: make(chan message),
	}
	s.jobs = table{named: map[string]*job{}, alarm: &s.alarm.Alarm}
	if len(c.Command.Args) > 0 {
		s.jobs.single = s.jobs.add(&c.Command)
	}
	if c.File != nil {
		for _, spec := range c.File.Jobs {
			s.jobs.add(spec)
		}
		rest := *c.File // the jobs have the specs; a reload replaces them
		rest.Jobs = nil
		s.config.File = &rest
	}
	return s
}

// Run runs the jobs until nothing of them is left. It returns the exit status and whether anything
// was started: everything that can fail for good is done before the first start.
func (s *Supervisor) Run() (exitStatus int, started bool) {
	err := s.prepare()
	if err != nil {
		s.verdict.failure = err
		s.log.Printf("%v", err)
		s.close()
		return status.Failed, false
	}
	s.boot()
	s.reap() // a child that died before SIGCHLD was caught told nobody
	if s.jobs.single != nil {
		s.settle() // a signal that has come is for the command
	}
	s.loop()
	s.close()
	return s.exitStatus()
}

// exitStatus returns the exit status of cginit, and whether anything was started.
func (s *Supervisor) exitStatus() (exitStatus int, started bool) {
	if single := s.jobs.single; single != nil {
		return single.last.ExitStatus, single.last.Cause != life.StartFailed
	}
	j := s.verdict.decisive
	switch {
	case s.live.areStuck():
		return status.Failed, true
	case j == nil && s.phase != phaseEnding: // all work is done, perhaps with a failure
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
