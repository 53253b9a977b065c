package supervisor

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// missedAfter is how late a time of a schedule may be noticed and still count as met: what is
// later was missed, because the machine slept or its clock was set forward.
const missedAfter = time.Minute

// Schedules go by the clock on the wall, which can be set. Go's timers do not follow it, so
// the next time is waited for by a timer of the kernel's that does, and that also tells when
// the clock has been set (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET, since Linux 3.0).

// schedule works out when the job's schedule starts it next.
func (s *Supervisor) schedule(j *job) {
	j.next = time.Time{}
	if s.phase == ending {
		return
	}
	now := s.wall()
	for _, t := range j.spec.Triggers {
		j.next = nearest(j.next, t.Next(now))
	}
	s.setClock()
}

// wall is the time without Go's monotonic reading, so that it is compared as a clock shows it.
func (s *Supervisor) wall() time.Time { return time.Now().Round(0) }

// setClock sets the kernel's timer to the nearest time of all schedules.
func (s *Supervisor) setClock() {
	var next time.Time
	for _, j := range s.jobs {
		next = nearest(next, j.next)
	}
	if next.IsZero() && s.clock == nil {
		return
	}
	if s.clock == nil {
		if err := s.openClock(); err != nil {
			s.complain("set a timer for the schedules", err)
			return
		}
	}
	spec := unix.ItimerSpec{}
	if !next.IsZero() {
		spec.Value = unix.NsecToTimespec(next.UnixNano())
	}
	conn, err := s.clock.SyscallConn()
	if err == nil {
		err = conn.Control(func(fd uintptr) {
			s.complain("set a timer for the schedules",
				unix.TimerfdSettime(int(fd), unix.TFD_TIMER_ABSTIME|unix.TFD_TIMER_CANCEL_ON_SET, &spec, nil))
		})
	}
	s.complain("reach the timer of the schedules", err)
}

func (s *Supervisor) openClock() error {
	fd, err := unix.TimerfdCreate(unix.CLOCK_REALTIME, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return fmt.Errorf("timerfd_create: %w", err)
	}
	s.clock = os.NewFile(uintptr(fd), "timerfd")
	go s.hearClock(s.clock)
	return nil
}

// hearClock turns each expiry, and each setting of the clock, into a message.
func (s *Supervisor) hearClock(clock *os.File) {
	conn, err := clock.SyscallConn()
	if err != nil {
		return
	}
	for {
		var failure error
		err := conn.Read(func(fd uintptr) bool {
			var b [8]byte
			_, failure = unix.Read(int(fd), b[:])
			return failure != unix.EAGAIN && failure != unix.EINTR
		})
		if err != nil || failure != nil && failure != unix.ECANCELED {
			return
		}
		wasSet := failure == unix.ECANCELED
		s.post(func() { s.clockRang(wasSet) })
	}
}

// clockRang starts what is due. When the clock was set every next time is worked out anew: set
// back, a time comes again; set forward, those between are missed.
func (s *Supervisor) clockRang(wasSet bool) {
	now := s.wall()
	for _, j := range s.jobs {
		if j.next.IsZero() {
			continue
		}
		due := !now.Before(j.next)
		switch late := now.Sub(j.next); {
		case due && late > missedAfter && !j.catchesUp():
			s.log.printf("%s: its time %s was missed and is skipped", j.spec.Name, j.next.Format(time.RFC3339))
		case due:
			s.due(j)
		}
		if due || wasSet {
			s.schedule(j)
		}
	}
	s.setClock()
}

func (j *job) catchesUp() bool {
	for _, t := range j.spec.Triggers {
		if t.CatchUp {
			return true
		}
	}
	return false
}

// due starts a job whose time has come. Its runs never overlap.
func (s *Supervisor) due(j *job) {
	if !j.isIdle() {
		if j.queues() {
			j.queued = true
			return
		}
		s.log.printf("%s: its time has come while it still runs, so it is skipped", j.spec.Name)
		return
	}
	s.later(j, jvStart)
}

func (j *job) queues() bool {
	for _, t := range j.spec.Triggers {
		if t.Queue {
			return true
		}
	}
	return false
}
