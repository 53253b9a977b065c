package config

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the machine that runs the test may have no time zones
)

// TestDaylightSaving checks schedules on the days when the clock is set in New York: on March 8, 2026 the
// time from 2:00 to 3:00 does not exist, on November 1 that from 1:00 to 2:00 comes twice.
func TestDaylightSaving(t *testing.T) {
	for _, test := range []struct{ name, cron, from, want string }{
		{
			"a time that does not exist is skipped", "30 2 * * *", "2026-03-07 12:00 -0500",
			"2026-03-09 02:30 -0400, 2026-03-10 02:30 -0400",
		},
		{
			"a time after it is not moved", "30 3 * * *", "2026-03-07 12:00 -0500",
			"2026-03-08 03:30 -0400, 2026-03-09 03:30 -0400",
		},
		{
			"every hour goes on", "0 * * * *", "2026-03-08 00:30 -0500",
			"2026-03-08 01:00 -0500, 2026-03-08 03:00 -0400",
		},
		{
			"a time that comes twice fires twice", "30 1 * * *", "2026-10-31 12:00 -0400",
			"2026-11-01 01:30 -0400, 2026-11-01 01:30 -0500, 2026-11-02 01:30 -0500",
		},
		{
			"every hour in the long night", "0 * * * *", "2026-11-01 00:30 -0400",
			"2026-11-01 01:00 -0400, 2026-11-01 01:00 -0500, 2026-11-01 02:00 -0500",
		},
		{
			"midnight is once a day", "@daily", "2026-10-31 12:00 -0400",
			"2026-11-01 00:00 -0400, 2026-11-02 00:00 -0500",
		},
		{
			"@every knows no clock", "@every 90m", "2026-11-01 00:30 -0400",
			"2026-11-01 01:00 -0500, 2026-11-01 02:30 -0500",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			zone, err := time.LoadLocation("America/New_York")
			if err != nil {
				t.Fatal(err)
			}
			trigger, err := NewTrigger(test.cron, zone)
			if err != nil {
				t.Fatal(err)
			}
			const layout = "2006-01-02 15:04 -0700"
			now, err := time.Parse(layout, test.from)
			if err != nil {
				t.Fatal(err)
			}
			for want := range strings.SplitSeq(test.want, ", ") {
				if now = trigger.Next(now); now.Format(layout) != want {
					t.Errorf("%s, want %s", now.Format(layout), want)
				}
			}
		})
	}
}

// TestNextWithoutNewTrigger checks that a Trigger literal works as well as one from NewTrigger.
func TestNextWithoutNewTrigger(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	if got := (Trigger{Cron: "0 3 * * *"}).Next(now); !got.Equal(now.Add(15 * time.Hour)) {
		t.Errorf("next is %s", got)
	}
	if got := (Trigger{Cron: "nonsense"}).Next(now); !got.IsZero() {
		t.Errorf("nonsense comes at %s", got)
	}
	tokyo := time.FixedZone("", 9*3600)
	if got := (Trigger{Cron: "0 3 * * *", Location: tokyo}).Next(now); got.UTC().Hour() != 18 {
		t.Errorf("next in another zone is %s", got)
	}
}

// TestZoneError: an image without time zones is told from a name that is none.
func TestZoneError(t *testing.T) {
	dir := t.TempDir()
	for name, want := range map[string]string{
		dir: "is not a time zone", dir + "/none": "the image has no " + dir + "/none; install tzdata",
	} {
		if err := zoneError("Mars/Base", name); !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
