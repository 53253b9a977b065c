package supervisor

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/config"
	"golang.org/x/sys/unix"
)

// Config is what a supervisor is to do.
type Config struct {
	Job       config.Spec
	Require   string // the weakest containment that will do: cgroup, uid, tree; empty: any
	Report    string // file to append receipts to; empty: none
	LogFormat string // text or json
	Verbose   bool
	Quiet     bool   // say only what went wrong
	Name      string // what log lines start with
}

// Supervisor runs a job from its start until nothing of it is left.
type Supervisor struct {
	config  Config
	pid1    bool
	log     *log
	inbox   *inbox
	home    *home
	reports *outlet // nil: receipts go to no file

	job       *job
	guardian  *guardian // nil: the kernel does it, or there is no cgroup
	terminal  *terminal // nil: none, or not ours to give
	session   int
	inherited []int // descriptors that are the command's
	listenPid bool  // LISTEN_PID names us, and is to name the command

	timer    *time.Timer
	swallow  map[unix.Signal]bool // signals that our own doing provokes, once each
	said     map[string]string    // the last complaint of each kind
	receipts []Receipt
	failure  error // why nothing was started
}

// New makes a supervisor. It starts nothing yet.
func New(c Config) *Supervisor {
	return &Supervisor{
		config: c,
		pid1:   os.Getpid() == 1,
		log:    newLog(c.Name, c.LogFormat),
		job:    newJob(c.Job),
		said:   map[string]string{},
	}
}

// Run runs the job and returns the exit status, and whether the command was started: whatever
// can fail for good fails before that.
func (s *Supervisor) Run() (status int, started bool) {
	s.inbox = catch()
	if err := s.prepare(); err != nil {
		s.failure = err
		s.log.printf("%v", err)
		s.close()
		return StatusFailed, false
	}
	s.feed(s.job, evStart)
	s.reap() // what has died before signals were caught gave none
	s.loop()
	s.close()
	last := s.receipts[len(s.receipts)-1]
	return last.ExitStatus, last.Cause != startFailed
}

// prepare does all that can fail, before anything is started.
func (s *Supervisor) prepare() (err error) {
	s.findInherited()
	if !s.pid1 {
		// Orphans of the job are to come to us (since Linux 3.4).
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("cannot become a subreaper: %w", err)
		}
	}
	reserveThreads()
	if s.config.Report != "" {
		if s.reports, err = openReport(s.config.Report); err != nil {
			return err
		}
	}
	if s.home, err = openHome(s.pid1); err != nil {
		return err
	}
	if !s.home.level.meets(s.config.Require) {
		return fmt.Errorf("--require %s cannot be met, the best here is %s: %w; %s", s.config.Require, s.home.level, s.home.why, howToGetCgroup)
	}
	if err := s.home.allow(s.config.Job.Resources); err != nil {
		return err
	}
	if s.home.level != LevelCgroup && !s.config.Quiet {
		s.log.printf("containment %s: %s (no cgroup: %v)", s.home.level, guarantee[s.home.level], s.home.why)
	} else if s.config.Verbose {
		s.log.printf("containment %s: %s", s.home.level, guarantee[s.home.level])
	}
	s.session, _ = unix.Getsid(0)
	if s.terminal = openTerminal(s.session); s.terminal != nil && s.config.Job.NewSession {
		if err := s.surrenderTerminal(); err != nil {
			return fmt.Errorf("cannot give up the terminal: %w", err)
		}
	}
	if s.home.level == LevelCgroup && !s.pid1 {
		if s.guardian, err = startGuardian(s.home); err != nil {
			return fmt.Errorf("cannot start the guardian: %w", err)
		}
	}
	return nil
}

// howToGetCgroup is what to add for a cgroup, for each of the usual platforms.
const howToGetCgroup = "add one of: docker run --security-opt writable-cgroups=true (Docker 28 or later)" +
	" | compose: security_opt: [\"writable-cgroups=true\"]" +
	" | podman run --security-opt unmask=/sys/fs/cgroup" +
	" | Kubernetes: a RuntimeClass whose containerd (2.1 or later) runtime has cgroup_writable = true"

// loop handles one message at a time until the job has ended.
func (s *Supervisor) loop() {
	changed := make(chan []int32)
	if s.home.watcher != nil {
		go s.watch(changed)
	}
	for s.job.state != ended && s.job.state != stuck {
		select {
		case <-s.inbox.child:
			s.reap()
		case sig := <-s.inbox.stop:
			s.signaled(sig.(syscall.Signal))
		case sig := <-s.inbox.other:
			s.signaled(sig.(syscall.Signal))
		case <-changed:
			s.inspect(s.job)
		case <-s.alarm():
			s.expire(s.now())
		}
	}
}

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

// feed gives a job an event, does what step answers, and goes on with what comes of that.
func (s *Supervisor) feed(j *job, events ...event) {
	for len(events) > 0 {
		ev := events[0]
		events = events[1:]
		for _, a := range j.step(ev, s.now()) {
			if next, ok := s.act(j, a); ok {
				events = append(events, next)
			}
		}
	}
}

// inspect looks at what the kernel says of a job now.
func (s *Supervisor) inspect(j *job) {
	switch {
	case j.run == nil || j.run.main.pid == 0:
	case j.run.status != nil && j.run.empty():
		s.feed(j, evEmpty)
	case (j.state == freezing || j.state == asking) && j.run.frozen():
		s.feed(j, evFrozen)
	}
}

// expire acts on every deadline that has passed.
func (s *Supervisor) expire(now time.Time) {
	if g := s.guardian; g != nil && !g.retry.IsZero() && !now.Before(g.retry) {
		err := g.start()
		if err != nil {
			g.lost(now)
		}
		s.complain("start the guardian", err)
	}
	j := s.job
	if j.deadline.IsZero() || now.Before(j.deadline) {
		return
	}
	s.inspect(j)
	switch {
	case j.deadline.IsZero() || now.Before(j.deadline):
	case j.state == killing && s.unkillable(j):
		s.feed(j, evUnkillable)
	default:
		s.feed(j, evDeadline)
	}
}

// alarm returns a channel that fires at the nearest deadline, nil if there is none: without a
// reason to wake up we do not.
func (s *Supervisor) alarm() <-chan time.Time {
	next := s.job.deadline
	if g := s.guardian; g != nil && !g.retry.IsZero() && (next.IsZero() || g.retry.Before(next)) {
		next = g.retry
	}
	if next.IsZero() {
		return nil
	}
	if s.timer == nil {
		s.timer = time.NewTimer(0)
	}
	s.timer.Reset(next.Sub(s.now()))
	return s.timer.C
}

func (s *Supervisor) now() time.Time { return time.Now() }

// close gives back what is left when the job has ended. If it has not, because something
// cannot be killed, the guardian stays, and sees to the rest when we are gone.
func (s *Supervisor) close() {
	if s.job.state != stuck {
		if s.guardian != nil {
			s.guardian.dismiss()
		}
		if s.home != nil {
			if !s.pid1 && s.job.run != nil { // the kernel does it where process 1 ends
				s.reapRest()
			}
			if err := s.home.close(); err != nil {
				s.log.printf("cannot remove our cgroups: %v", err)
			}
		}
	}
	s.closeReports()
	s.log.close()
	s.leaveTerminal()
}
