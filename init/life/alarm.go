package life

import "time"

// Alarm knows when the first of many deadlines passes, without a look at all of them. The runs and
// jobs that share it set it whenever one of their deadlines comes nearer.
//
// It can ring early: a deadline that was dropped or has moved on is not taken back. Whoever is woken
// calls Clear, and then Set for each deadline that is left.
type Alarm struct{ at time.Time }

// Set makes the alarm ring at a time, unless it rings earlier. Zero means never, and changes nothing.
// a may be nil.
func (a *Alarm) Set(at time.Time) {
	if a != nil && !at.IsZero() && (a.at.IsZero() || at.Before(a.at)) {
		a.at = at
	}
}

// At returns when the alarm rings; zero means never.
func (a *Alarm) At() time.Time { return a.at }

// Clear makes the alarm never ring, until it is set again.
func (a *Alarm) Clear() { a.at = time.Time{} }
