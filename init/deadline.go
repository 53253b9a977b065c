package supervisor

import "time"

// nearest returns the earlier of two deadlines. Zero means never.
func nearest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// passed tells whether a deadline has passed. A zero deadline never does.
func passed(deadline, now time.Time) bool { return !deadline.IsZero() && !now.Before(deadline) }
