package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Trigger is a schedule of a job.
type Trigger struct {
	// Cron is a cron expression: five fields, @daily and the like, or @every and a duration.
	Cron string
	// Location is the time zone of Cron; nil is the zone of the clock.
	Location *time.Location
	// Queue makes the job run again afterwards if its time comes while it runs. Otherwise that time
	// is skipped.
	Queue bool
	// CatchUp makes the job run once if times were missed because the clock jumped or the machine
	// slept. Otherwise they are skipped.
	CatchUp bool

	times interface{ Next(time.Time) time.Time } // Cron, parsed; nil: not parsed yet
}

// Next returns the first time of the schedule after now; the zero time if there is none.
func (t Trigger) Next(now time.Time) time.Time { return t.next(now) }

// NewTrigger returns a Trigger for a cron expression: five fields, @daily and the like, or @every and a
// duration of a second or more. A nil location is the time zone of the clock.
//
// On a day when the clock is set forward, a time that does not exist is skipped. When the clock is set
// back, a time that comes twice fires twice, as in Kubernetes. @every counts elapsed time and ignores
// both.
func NewTrigger(expression string, location *time.Location) (Trigger, error) {
	t := Trigger{Cron: expression, Location: location}
	wrong := func(err error) (Trigger, error) {
		return t, fmt.Errorf(`%q is not a cron expression: %w; try "*/5 * * * *" or @daily`, expression, err)
	}
	if strings.Contains(expression, "TZ=") { // the library would accept the zone here
		return t, fmt.Errorf("%q: write the time zone into the key timezone", expression)
	}
	if every, ok := strings.CutPrefix(expression, "@every "); ok {
		if d, err := time.ParseDuration(every); err != nil || d < time.Second {
			return wrong(errors.New("@every needs a duration of at least one second"))
		}
	}
	schedule, err := cron.ParseStandard(expression)
	if err != nil {
		return wrong(err)
	}
	if schedule.Next(time.Now()).IsZero() {
		return wrong(errors.New("it names a day that never comes"))
	}
	t.times = schedule
	return t, nil
}

// next implements Next. It reads no clock. A Trigger that is not from NewTrigger is parsed at each call.
func (t Trigger) next(now time.Time) time.Time {
	if t.times == nil {
		parsed, err := NewTrigger(t.Cron, t.Location)
		if err != nil {
			return time.Time{}
		}
		t.times = parsed.times
	}
	if t.Location != nil {
		now = now.In(t.Location)
	}
	return t.times.Next(now)
}
