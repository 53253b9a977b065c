package supervisor

import "time"

// phase is how far the supervisor as a whole has come.
type phase int

// The phases. A failure during phaseBooting fails the start.
const (
	phaseBooting phase = iota
	phaseUp
	phaseEnding
)

// shutdown is the state of the shutdown of all jobs.
type shutdown struct {
	askedAt   time.Time // when somebody first asked for it; zero: nobody did
	killAt    time.Time // when the leftovers are killed; zero: never, or the shutdown has not begun
	isKilling bool      // the kill has begun
}

// deadline returns when the leftovers are killed. Zero means never, or that the kill has begun.
func (d *shutdown) deadline() time.Time {
	if d.isKilling {
		return time.Time{}
	}
	return d.killAt
}

// bound makes the grace period of a run end with the budget of the shutdown, so that half of it is half of
// what there really is.
func (d *shutdown) bound(r *run) {
	if !d.killAt.IsZero() {
		r.ShortenGrace(d.killAt)
	}
}

// verdict holds what decides our exit status.
type verdict struct {
	decisive  *job  // the job whose exit status is ours: an essential one, or the one that failed the start
	failedJob *job  // the first one-shot job that failed after the start
	badStart  error // why a job failed the start; nil: none has
	failure   error // why the start failed, with or without a job; nil: it has not
}
