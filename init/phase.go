package supervisor

import "time"

// phase is how far the supervisor as a whole has come.
type phase int

// The phases. While the supervisor is booting, what fails fails the start.
const (
	phaseBooting phase = iota
	phaseUp
	phaseEnding
)

// shutdown is the end of all jobs.
type shutdown struct {
	askedAt   time.Time // when somebody first asked for it; zero: nobody did
	killAt    time.Time // when what is left is killed; zero: never, or the shutdown has not begun
	isKilling bool      // that has happened
}

// deadline returns when what is left is killed; zero: never, or it was.
func (d *shutdown) deadline() time.Time {
	if d.isKilling {
		return time.Time{}
	}
	return d.killAt
}

// verdict is what decides our exit status.
type verdict struct {
	decisive  *job  // whose exit status is ours: an essential job, or the one that failed the start
	failedJob *job  // the first one-shot job that failed once everything was up
	badStart  error // why a job failed the start
	failure   error // why nothing, or not everything, was started
}
