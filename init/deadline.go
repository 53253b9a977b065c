package supervisor

import (
	"time"

	"github.com/cginit/cginit/init/life"
)

// nearest returns the earlier of two deadlines. Zero means never.
func nearest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// passed tells whether a deadline has passed. A zero deadline never does.
func passed(deadline, now time.Time) bool { return !deadline.IsZero() && !now.Before(deadline) }

// alarm wakes the loop at the nearest deadline.
type alarm struct {
	life.Alarm             // for the deadlines of runs and jobs, and for health checks
	timer      *time.Timer // nil: none was set yet
	set        time.Time   // when the timer rings; zero: never
}

// ringAt returns a channel that receives at a time, or nil, which never receives, if that is zero.
func (a *alarm) ringAt(next time.Time) <-chan time.Time {
	switch {
	case next.IsZero():
		return nil
	case a.timer == nil:
		a.timer = time.NewTimer(time.Until(next))
	case !next.Equal(a.set):
		a.timer.Reset(time.Until(next))
	}
	a.set = next
	return a.timer.C
}

// rang notes that the timer has rung. All deadlines that are left set the alarm anew.
func (a *alarm) rang() {
	a.set = time.Time{}
	a.Clear()
}
