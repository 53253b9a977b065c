package supervisor

import (
	"time"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/control"
)

// healthStatus is the result of the health checks of a run so far.
type healthStatus uint8

// The statuses of a job's health.
const (
	unchecked healthStatus = iota // the job has no health check
	unknown                       // no check has succeeded yet
	healthy
	unhealthy
)

// health is the result of a job's health checks in its present run, and when the next one is due.
type health struct {
	next     time.Time // when the next check starts; zero: none is due
	said     string    // the output of the last check
	failures int32     // checks that failed in a row
	status   healthStatus
}

// newHealth returns the health of a run that has just become ready. spec is nil for a job without a
// health check.
func newHealth(spec *config.Health, now time.Time) health {
	if spec == nil {
		return health{}
	}
	return health{status: unknown, next: now.Add(untilCheck(spec, unknown, 0))}
}

// checked records the result of a check. since is how long the run has been ready. Failures during
// the start period do not count until a check has succeeded.
func (h *health) checked(spec *config.Health, ok bool, since time.Duration, now time.Time) {
	switch {
	case ok:
		h.status, h.failures = healthy, 0
	case h.status == unknown && since < spec.StartPeriod:
	default:
		if h.failures++; int(h.failures) >= spec.Retries {
			h.status = unhealthy
		}
	}
	h.next = now.Add(untilCheck(spec, h.status, since))
}

// untilCheck returns the time until the next check: the start interval during the start period
// while no check has succeeded, otherwise the interval.
func untilCheck(spec *config.Health, s healthStatus, since time.Duration) time.Duration {
	if s == unknown && since < spec.StartPeriod {
		return spec.StartInterval
	}
	return spec.Interval
}

// shown returns the health in the words of the wire.
func (h *health) shown() control.HealthState {
	return map[healthStatus]control.HealthState{
		unknown: control.HealthStarting, healthy: control.Healthy, unhealthy: control.Unhealthy,
	}[h.status]
}

// stop ends the checks of a run that is being stopped.
func (h *health) stop() { h.next = time.Time{} }
