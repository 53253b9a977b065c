package supervisor

import "time"

// nearest returns the earlier of two deadlines; zero is never.
func nearest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// passed tells whether there is such a deadline, and it has passed.
func passed(deadline, now time.Time) bool { return !deadline.IsZero() && !now.Before(deadline) }
