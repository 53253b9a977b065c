package supervisor

import (
	"os"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/init/proctree"
	"golang.org/x/sys/unix"
)

// Config is what a supervisor is to do: one command, or the services and jobs of a file.
type Config struct {
	Command          config.Spec                  // of the command line; without Args there is none
	File             *config.File                 // nil: none
	Load             func() (*config.File, error) // reads the file again, for a reload
	GracePeriod      time.Duration                // for the whole shutdown of a file's jobs
	Require          string                       // the weakest containment that will do: cgroup, uid, tree; empty: any
	BestEffortLimits bool                         // a limit that cannot be enforced is said, and no error
	Report           string                       // file to append receipts to; empty: none
	LogFormat        string                       // text or json
	Verbose          bool
	Quiet            bool   // say only what went wrong
	Socket           string // of the control server; empty or none: there is none
	SocketRequired   bool   // somebody asked for it: without it the start fails
	Version          string
	Name             string   // what log lines start with
	Up               *os.File // told when everything is up, and closed; nil: nobody waits
}

// Supervisor runs jobs from their start until nothing of them is left.
type Supervisor struct {
	config Config
	pid1   bool
	log    *log
	inbox  *inbox
	home   *home

	jobs    []*job          // in the order of the file, then as they were started
	named   map[string]*job // the same, by name
	single  *job            // the command of the command line; nil: we run a file
	live    []*run          // the runs that have not ended
	mains   map[int]*run    // by the pid of their main process, until it is reaped
	holders map[int]*run    // by the pid of what holds them, where no cgroup does
	elders  map[int]bool    // what was below us before we were cginit
	spare   *proctree.Tree  // a holder for the next run; nil: none
	watched map[int32]*run  // by what the watcher answers
	watches int32           // the last of those numbers
	changed bool            // a job has changed, so others may be able to go on
	pending []jobNote       // events of jobs that wait for their turn

	phase         phase
	killAt        time.Time // when the end kills what is left; zero: it has not begun
	killing       bool      // it has
	decisive      *job      // whose exit status is ours: essential, or why the start failed
	failedJob     *job      // the first one-shot job that failed once everything was up
	badStart      error     // why the start failed
	reloads       bool      // a file is being read
	reloadAgain   bool      // and somebody has asked since
	reloadWaiters []func(*control.ReloadReply, error)
	clock         *os.File // the kernel timer for schedules; nil: there are none

	reports *outlet // nil: receipts go to no file
	output  chan struct{}
	null    *os.File

	guardian  *guardian // nil: the kernel does it, or there is no cgroup
	terminal  *terminal // nil: none, or not ours to give
	session   int
	inherited []int // descriptors that are the command's
	listenPid bool  // LISTEN_PID names us, and is to name the command

	hearsInput bool          // somebody reads our standard input, for the job that has it on its terminal
	typing     *unix.Termios // how our terminal was before that; nil: as it is

	timer    *time.Timer
	swallow  map[unix.Signal]bool // signals that our own doing provokes, once each
	said     map[string]string    // the last complaint of each kind
	receipts []Receipt            // the last ones, for the termination log
	failure  error                // why nothing was started
	messages chan message

	server   *control.Server // nil: there is no control socket
	journal  journal
	waiters  []*waiter // calls that are answered later
	commands int       // runs that were given a name
	lastUID  uint32    // of those for user: auto
}

// message is what a goroutine has read: the loop calls it.
type message func()

// phase is how far the supervisor as a whole has come.
type phase int

const (
	booting phase = iota // what fails now fails the start
	up
	ending
)

// New makes a supervisor. It starts nothing yet.
func New(c Config) *Supervisor {
	s := &Supervisor{
		config:   c,
		pid1:     os.Getpid() == 1,
		log:      newLog(c.Name, c.LogFormat),
		named:    map[string]*job{},
		mains:    map[int]*run{},
		watched:  map[int32]*run{},
		holders:  map[int]*run{},
		said:     map[string]string{},
		output:   make(chan struct{}, 1),
		messages: make(chan message),
	}
	if len(c.Command.Args) > 0 {
		s.single = s.addJob(c.Command)
	}
	if c.File != nil {
		for _, spec := range c.File.Jobs {
			s.addJob(spec)
		}
	}
	return s
}

func (s *Supervisor) addJob(spec config.Spec) *job {
	j := newJob(spec)
	s.jobs = append(s.jobs, j)
	s.named[spec.Name] = j
	return j
}

// Run runs the jobs and returns the exit status, and whether anything was started: whatever
// can fail for good fails before that.
func (s *Supervisor) Run() (status int, started bool) {
	s.inbox = catch()
	if err := s.prepare(); err != nil {
		s.failure = err
		s.log.printf("%v", err)
		s.close()
		return StatusFailed, false
	}
	s.boot()
	s.reap() // what has died before signals were caught gave none
	s.settle()
	s.loop()
	s.close()
	return s.status()
}

// loop handles one message at a time until nothing is left to do.
func (s *Supervisor) loop() {
	changed := make(chan []int32)
	if s.home.watcher != nil {
		go s.watch(changed)
	}
	more := false
	for more || !s.isOver() {
		select {
		case <-s.goOn(more):
		case <-s.inbox.child:
			s.reap()
		case sig := <-s.inbox.stop:
			s.signaled(sig.(syscall.Signal))
		case sig := <-s.inbox.other:
			s.signaled(sig.(syscall.Signal))
		case ids := <-changed:
			for _, id := range ids {
				s.inspect(s.watched[id])
			}
		case m := <-s.messages:
			m()
		case m := <-s.calls():
			s.served(m)
		case <-s.log.out.more():
			s.log.out.push()
		case <-s.reports.more():
			s.reports.push()
		case <-s.alarm():
			s.expire(s.now())
		}
		more = s.turn()
	}
}

// post brings a message to the loop; only for the goroutines that read. It waits for its turn,
// so that who sends much is slowed down and not the loop.
func (s *Supervisor) post(m message) { s.messages <- m }

// watch turns changes of cgroups into messages.
func (s *Supervisor) watch(changed chan<- []int32) {
	for {
		ids, err := s.home.watcher.Wait()
		if err != nil {
			return // the loop still looks whenever a child dies or a deadline passes
		}
		changed <- ids
	}
}

// feed gives a run an event, does what step answers, and goes on with what comes of that.
func (s *Supervisor) feed(r *run, events ...event) {
	for len(events) > 0 {
		ev := events[0]
		events = events[1:]
		for _, a := range r.step(ev, s.now()) {
			if next, ok := s.act(r, a); ok {
				events = append(events, next)
			}
		}
	}
}

// inspect looks at what the kernel says of a run now.
func (s *Supervisor) inspect(r *run) {
	switch {
	case r == nil || r.main.pid == 0 || r.helper:
		return
	case r.status != nil && r.failed:
		s.feed(r, evSpawnFail)
		return
	case r.status != nil && r.empty():
		if s.attendants(r) > 0 { // outside of it, where no cgroup holds them
			s.killAttendants(r)
			return
		}
		s.feed(r, evEmpty)
		return
	case r.status != nil && !r.mainGone && s.attendants(r) == 0:
		s.feed(r, evMainExit)
		s.daemonised(r)
	}
	s.standsStill(r)
	if (r.state == freezing || r.state == asking) && r.frozen() {
		s.feed(r, evFrozen)
	}
}

func (s *Supervisor) now() time.Time { return time.Now() }

// close gives back what is left when all have ended. If something cannot be killed, the
// guardian stays, and sees to the rest when we are gone.
func (s *Supervisor) close() {
	s.dropSpare()
	if !s.isStuck() {
		if s.guardian != nil {
			s.guardian.dismiss()
		}
		if s.home != nil {
			if !s.pid1 && s.runsStarted() { // the kernel does it where process 1 ends
				s.reapRest()
			}
			if err := s.home.close(); err != nil {
				s.log.printf("cannot remove our cgroups: %v", err)
			}
		}
	}
	s.closeReports()
	if s.server != nil {
		if err := s.server.Close(); err != nil {
			s.log.printf("cannot remove the control socket: %v", err)
		}
	}
	s.log.close()
	s.typeAsBefore()
	s.leaveTerminal()
}

// isStuck tells whether something outlives every kill.
func (s *Supervisor) isStuck() bool { return len(s.live) > 0 && s.onlyStuck() }

func (s *Supervisor) onlyStuck() bool {
	for _, r := range s.live {
		if r.state != stuck {
			return false
		}
	}
	return true
}

func (s *Supervisor) runsStarted() bool {
	for _, j := range s.jobs {
		if j.runs > 0 {
			return true
		}
	}
	return false
}
