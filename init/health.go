package supervisor

import (
	"time"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/control"
)

// healthStatus is what the health checks of a run have found.
type healthStatus string

const (
	unchecked healthStatus = ""         // the job has no health check
	unknown   healthStatus = "starting" // no check has succeeded yet
	healthy   healthStatus = "healthy"
	unhealthy healthStatus = "unhealthy"
)

// health is what the checks of a job have found in its present run.
type health struct {
	status   healthStatus
	failures int       // in a row
	next     time.Time // when to look again; zero: not by itself
	said     string    // what the last check wrote
}

// newHealth returns the health of a run that has just become ready. spec is nil if it has no check.
func newHealth(spec *config.Health, now time.Time) health {
	if spec == nil {
		return health{}
	}
	return health{status: unknown, next: now.Add(untilCheck(spec, unknown, 0))}
}

// checked takes what a check has found, so long after the run became ready.
func (h *health) checked(spec *config.Health, ok bool, since time.Duration, now time.Time) {
	switch {
	case ok:
		h.status, h.failures = healthy, 0
	case h.status == unknown && since < spec.StartPeriod:
	default:
		if h.failures++; h.failures >= spec.Retries {
			h.status = unhealthy
		}
	}
	h.next = now.Add(untilCheck(spec, h.status, since))
}

// untilCheck returns the time until the next check.
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
