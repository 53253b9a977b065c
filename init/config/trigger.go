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
	Cron     string         // five fields, or @every and the like
	Location *time.Location // of the times in it
	Queue    bool           // a time that comes while it runs: run again afterwards; false: skip it
	CatchUp  bool           // times missed while the clock jumped or the machine slept: run once; false: skip

	times interface{ Next(time.Time) time.Time } // Cron, parsed; nil: not yet
}

// Next returns the first time after now, zero if there is none.
func (t Trigger) Next(now time.Time) time.Time { return t.next(now) }

// NewTrigger parses a cron expression: five fields, @daily and the like, or @every and a
// duration of a second or more. A nil location is that of the clock.
//
// Where the clock is set forward, a time that does not exist that day is skipped; where it is
// set back, a time that comes twice fires twice. Kubernetes does the same. @every knows no
// clock, and counts on.
func NewTrigger(expression string, location *time.Location) (Trigger, error) {
	t := Trigger{Cron: expression, Location: location}
	wrong := func(err error) (Trigger, error) {
		return t, fmt.Errorf(`%q is not a cron expression: %w; try "*/5 * * * *" or @daily`, expression, err)
	}
	if strings.Contains(expression, "TZ=") { // the library's own spelling of it
		return t, fmt.Errorf("%q: the time zone goes into the key timezone", expression)
	}
	if every, ok := strings.CutPrefix(expression, "@every "); ok {
		if d, err := time.ParseDuration(every); err != nil || d < time.Second {
			return wrong(errors.New("after @every there is a duration of a second or more"))
		}
	}
	schedule, err := cron.ParseStandard(expression)
	if err != nil {
		return wrong(err)
	}
	if schedule.Next(time.Now()).IsZero() {
		return wrong(errors.New("there is no such day"))
	}
	t.times = schedule
	return t, nil
}

// next is pure: the clock is the caller's now. A trigger that did not come from NewTrigger is
// parsed again each time.
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
