package config

import (
	"time"

	"github.com/robfig/cron/v3"
)

// nextCron is pure: daylight-saving time and the clock are the caller's now and the location.
func nextCron(t Trigger, now time.Time) time.Time {
	schedule, err := cron.ParseStandard(t.Cron)
	if err != nil {
		return time.Time{}
	}
	if t.Location != nil {
		now = now.In(t.Location)
	}
	return schedule.Next(now)
}
