package supervisor

import (
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/init/life"
	"github.com/cginit/cginit/init/priority"
	"golang.org/x/sys/unix"
)

// loop handles one message at a time until no work is left.
func (s *Supervisor) loop() {
	s.home.Watch()
	priority.ClaimAll()
	more := s.settleSome()
	var late <-chan time.Time // receives when the last look is over
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
		handle(s.messages, turnMost)
		more = s.settleSome()
	}
}

// take waits for the next message and handles it. With more set it does not wait.
func (s *Supervisor) take(more bool) {
	select {
	case <-readyIf(more):
	case <-s.inbox.child:
		s.reap()
	case sig := <-s.inbox.signals:
		s.arrived(sig)
	case m := <-s.messages:
		m()
	case m := <-s.calls.arrive():
		s.served(m)
	case <-s.log.Room():
		s.log.Push()
	case <-s.reports.file.Room():
		s.reports.file.Push()
	case <-s.wakeUp():
		s.expire(time.Now())
	}
}

// handle calls the messages that wait, at most as many as most. Each job that a turn has started can
// have sent one, and its goroutine waits until it is taken.
func handle(messages <-chan message, most int) {
	for range most {
		select {
		case m := <-messages:
			m()
		default:
			return
		}
	}
}

// lastLook is how long the loop waits, after all jobs of a file have ended, for requests that were
// sent before. A reload may bring new work.
const lastLook = 20 * time.Millisecond

// takeLast handles the next message and returns true. It returns false when late receives.
func (s *Supervisor) takeLast(late <-chan time.Time) bool {
	select {
	case sig := <-s.inbox.signals:
		if sig != unix.SIGTERM && sig != unix.SIGINT { // all that these ask for has happened
			s.arrived(sig)
		}
	case m := <-s.messages:
		m()
	case m := <-s.calls.arrive():
		s.served(m)
	case <-late:
		return false
	}
	return true
}

// readyIf returns a channel that is always ready, or nil, which never is.
func readyIf(now bool) <-chan struct{} {
	if !now {
		return nil
	}
	return alwaysReady
}

// alwaysReady is a closed channel.
var alwaysReady = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// post sends a message to the loop. Only the goroutines that read call it. It blocks until the loop
// takes the message, so a goroutine that sends much slows down itself and not the loop.
func (s *Supervisor) post(m message) { s.messages <- m }

// wakeUp returns a channel that receives at the nearest deadline. It returns nil if there is none,
// so that an idle supervisor never wakes up.
func (s *Supervisor) wakeUp() <-chan time.Time {
	next := nearest(s.shutdown.deadline(), s.home.Deadline())
	next = nearest(nearest(next, s.calls.waiters.deadline()), s.flood.next)
	return s.alarm.ringAt(nearest(next, s.alarm.At()))
}

// expire acts on every deadline that has passed, and sets the alarm to the others.
func (s *Supervisor) expire(now time.Time) {
	s.alarm.rang()
	if passed(s.flood.next, now) {
		s.reap()
	}
	if passed(s.shutdown.deadline(), now) {
		s.killRest()
	}
	s.home.Expire(now)
	s.calls.waiters.expire(now)
	for _, r := range s.live.clone() {
		s.expireRun(r, now)
		s.alarm.Set(r.Deadline())
	}
	for _, j := range s.jobs.all {
		if passed(j.Deadline(), now) {
			s.expireJob(j, now)
		}
		if passed(j.health.next, now) {
			s.check(j)
		}
		if passed(j.reloading.silent, now) {
			j.reloading.silent, s.queue.changed = time.Time{}, true
		}
		s.alarm.Set(j.Deadline())
		s.alarm.Set(j.health.next)
		s.alarm.Set(j.reloading.silent)
	}
}

// expireRun acts on the deadline of a run, unless a look at the run has moved it.
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

// expireJob acts on the deadline of a job. A frozen job cannot send WATCHDOG=1, so its watchdog
// starts anew.
func (s *Supervisor) expireJob(j *job, now time.Time) {
	if j.State() == life.JobUp && j.run.paused {
		j.FeedWatchdog(now)
		return
	}
	s.queue.add(j, life.EvJobDeadline)
}

// close releases everything when all jobs have ended. If something cannot be killed the guardian
// stays, and kills it when it can after we are gone.
func (s *Supervisor) close() {
	for _, j := range s.jobs.all {
		j.notify.close()
	}
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

// closeHome dismisses the guardian, removes our cgroups and reaps the last children.
func (s *Supervisor) closeHome() {
	s.home.DismissGuardian()
	if err := s.home.Close(); err != nil {
		s.log.Printf("cannot remove our cgroups: %v", err)
	}
	s.home.AwaitGuardian()
	if !isProcess1() && s.jobs.haveStarted() { // when process 1 ends the kernel reaps
		s.reapRest()
	}
}

// calls holds the control socket and the calls that are answered later.
type calls struct {
	server   *control.Server // nil: there is no control socket
	journal  journal
	waiters  waiters
	commands int // the number of the last run that got a name from us (run-1)
}

// arrive returns the channel of requests. Without a control socket it returns nil, which never
// receives.
func (c *calls) arrive() <-chan control.Message {
	if c.server == nil {
		return nil
	}
	return c.server.Messages()
}
