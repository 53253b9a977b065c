package supervisor

import "time"

// nearest returns the earlier of two deadlines; zero is never.
func nearest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// later returns the later of two deadlines.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// passed tells whether there is such a deadline, and it has passed.
func passed(deadline, now time.Time) bool { return !deadline.IsZero() && !now.Before(deadline) }

// alarm returns a channel that fires at the nearest deadline, nil if there is none: without a
// reason to wake up we do not.
func (s *Supervisor) alarm() <-chan time.Time {
	next := s.killAt
	if s.killing {
		next = time.Time{}
	}
	if s.guardian != nil {
		next = nearest(next, s.guardian.retry)
	}
	for _, r := range s.live {
		next = nearest(next, r.deadline)
	}
	for _, w := range s.waiters {
		next = nearest(next, w.deadline)
	}
	for _, j := range s.jobs {
		next = nearest(next, nearest(j.deadline, j.health.next))
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

// expire acts on every deadline that has passed.
func (s *Supervisor) expire(now time.Time) {
	if passed(s.killAt, now) && !s.killing {
		s.killRest()
	}
	if g := s.guardian; g != nil && passed(g.retry, now) {
		err := g.start()
		if err != nil {
			g.lost(now)
		}
		s.complain("start the guardian", err)
	}
	s.lateWaiters(now)
	for _, r := range s.liveRuns() {
		s.expireRun(r, now)
	}
	for _, j := range s.jobs {
		if passed(j.deadline, now) {
			s.jobExpired(j, now)
		}
		if passed(j.health.next, now) {
			s.probe(j)
		}
	}
}

func (s *Supervisor) expireRun(r *run, now time.Time) {
	if !passed(r.deadline, now) {
		return
	}
	s.inspect(r)
	switch {
	case !passed(r.deadline, now):
	case r.state == killing && s.unkillable(r):
		s.feed(r, evUnkillable)
	default:
		s.feed(r, evDeadline)
	}
}

// jobExpired: a job that somebody has frozen cannot feed its watchdog.
func (s *Supervisor) jobExpired(j *job, now time.Time) {
	if j.state == jobUp && j.run.paused {
		j.deadline = now.Add(j.spec.Watchdog)
		return
	}
	s.later(j, jvDeadline)
}
