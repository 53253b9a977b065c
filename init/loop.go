package supervisor

import (
	"syscall"
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/init/life"
)

// loop handles one message at a time until nothing is left to do.
func (s *Supervisor) loop() {
	s.home.Watch()
	more := false
	var late <-chan time.Time // when the last look is over
	for {
		switch {
		case more || !s.isOver():
			late = nil
			s.take(more)
		case s.phase == phaseEnding || s.jobs.single != nil:
			return
		case late == nil:
			late = time.After(lastLook)
		case !s.takeLast(late):
			return
		}
		more = s.settleSome()
	}
}

// take waits for the next message and handles it. With more it does not wait.
func (s *Supervisor) take(more bool) {
	select {
	case <-readyIf(more):
	case <-s.inbox.child:
		s.reap()
	case sig := <-s.inbox.stop:
		s.signaled(sig.(syscall.Signal))
	case sig := <-s.inbox.other:
		s.signaled(sig.(syscall.Signal))
	case m := <-s.messages:
		m()
	case m := <-s.calls.arrive():
		s.served(m)
	case <-s.log.Room():
		s.log.Push()
	case <-s.reports.file.Room():
		s.reports.file.Push()
	case <-s.alarm():
		s.expire(time.Now())
	}
}

// lastLook is how long we wait, when all jobs of a file have ended, for what was asked of us before: a
// reload may bring new work, and a signal takes some time on its way through Go's runtime.
const lastLook = 20 * time.Millisecond

// takeLast handles what comes until late receives, and then returns false.
func (s *Supervisor) takeLast(late <-chan time.Time) bool {
	select {
	case sig := <-s.inbox.other:
		s.signaled(sig.(syscall.Signal))
	case m := <-s.messages:
		m()
	case m := <-s.calls.arrive():
		s.served(m)
	case <-late:
		return false
	}
	return true
}

// readyIf returns a channel that is always ready, or one that never is.
func readyIf(now bool) <-chan struct{} {
	if !now {
		return nil
	}
	return alwaysReady
}

var alwaysReady = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// post brings a message to the loop; only the goroutines that read call it. It waits for its turn, so
// that a goroutine that sends much is slowed down and not the loop.
func (s *Supervisor) post(m message) { s.messages <- m }

// alarm returns a channel that fires at the nearest deadline. It is nil if there is none: without a
// reason to wake up we do not.
func (s *Supervisor) alarm() <-chan time.Time {
	next := nearest(s.shutdown.deadline(), s.home.Deadline())
	next = nearest(next, s.calls.waiters.deadline())
	for _, r := range s.live {
		next = nearest(next, r.Deadline())
	}
	for _, j := range s.jobs.all {
		next = nearest(next, nearest(j.Deadline(), j.health.next))
	}
	if next.IsZero() {
		return nil
	}
	if s.timer == nil {
		s.timer = time.NewTimer(0)
	}
	s.timer.Reset(time.Until(next))
	return s.timer.C
}

// expire acts on every deadline that has passed.
func (s *Supervisor) expire(now time.Time) {
	if passed(s.shutdown.deadline(), now) {
		s.killRest()
	}
	s.home.Expire(now)
	s.calls.waiters.expire(now)
	for _, r := range s.live.clone() {
		s.expireRun(r, now)
	}
	for _, j := range s.jobs.all {
		if passed(j.Deadline(), now) {
			s.expireJob(j, now)
		}
		if passed(j.health.next, now) {
			s.check(j)
		}
	}
}

func (s *Supervisor) expireRun(r *run, now time.Time) {
	if !passed(r.Deadline(), now) {
		return
	}
	s.inspect(r)
	switch {
	case !passed(r.Deadline(), now):
	case r.State() == life.RunKilling && s.isUnkillable(r):
		s.feed(r, life.EvUnkillable)
	default:
		s.feed(r, life.EvDeadline)
	}
}

// expireJob spares a job that somebody has frozen: it cannot feed its watchdog.
func (s *Supervisor) expireJob(j *job, now time.Time) {
	if j.State() == life.JobUp && j.run.paused {
		j.FeedWatchdog(now)
		return
	}
	s.queue.add(j, life.EvJobDeadline)
}

// close gives back what is left when all have ended. If something cannot be killed, the guardian
// stays, and sees to the rest when we are gone.
func (s *Supervisor) close() {
	if s.home != nil {
		s.home.DropSpare()
		if !s.live.areStuck() {
			s.closeHome()
		}
	}
	s.reports.close(s.verdict.failure)
	if s.calls.server != nil {
		if err := s.calls.server.Close(); err != nil {
			s.log.Printf("cannot remove the control socket: %v", err)
		}
	}
	s.log.Close()
	s.keyboard.restore()
	s.leaveTerminal()
}

func (s *Supervisor) closeHome() {
	s.home.DismissGuardian()
	if !isProcess1() && s.jobs.haveStarted() { // the kernel does it where process 1 ends
		s.reapRest()
	}
	if err := s.home.Close(); err != nil {
		s.log.Printf("cannot remove our cgroups: %v", err)
	}
}

// calls is the control socket, and the calls that are answered later.
type calls struct {
	server   *control.Server // nil: there is no control socket
	journal  journal
	waiters  waiters
	commands int // runs that were given a name
}

// arrive returns the channel of requests; nil, which never receives, without a server.
func (c *calls) arrive() <-chan control.Message {
	if c.server == nil {
		return nil
	}
	return c.server.Messages()
}
