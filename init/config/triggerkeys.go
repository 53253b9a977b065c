package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// triggers are the triggers of a job as they are written.
type triggers struct {
	manual   *bool
	schedule []Trigger
}

// triggersKey says when a job runs.
func triggersKey() *field {
	all := object(triggers{}, nil,
		key("manual", "true: it is started on request, and by its schedule if it has one; false: by its schedule only",
			pointer(boolean()),
			func(t *triggers) **bool { return &t.manual }),
		key("schedule", "the times at which it runs", listOf(schedule()),
			func(t *triggers) *[]Trigger { return &t.schedule }))
	return keyTo("triggers", "when the job runs; without the key: once, at the start", all,
		func(p *problems, n *node, d *draft, t triggers) {
			switch {
			case t.manual == nil && n.get("schedule") == nil:
				p.wrongAll(n, "it needs the key manual or the key schedule")
			case n.get("schedule") == nil && !*t.manual:
				p.wrongAll(n, "nothing would ever start this job; add a schedule, or leave manual out")
			}
			d.triggers = &t
			d.Triggers = t.schedule
			d.Manual = t.manual != nil && *t.manual
			d.ScheduleOnly = t.manual != nil && !*t.manual
		})
}

// schedule reads a cron expression, or a mapping with one.
func schedule() value[Trigger] {
	short := quoted(schemaText, func(s string) (Trigger, error) { return NewTrigger(s, nil) })
	long := object(Trigger{CatchUp: true}, nil,
		must(keyTo("cron",
			"a cron expression: five fields (minute, hour, day, month, weekday), @daily and the like, or @every 5m",
			short,
			func(_ *problems, _ *node, t *Trigger, read Trigger) { t.Cron, t.times = read.Cron, read.times })),
		key("timezone",
			"the time zone of the expression, such as Europe/Berlin; without the key: that of the container", zone(),
			func(t *Trigger) **time.Location { return &t.Location }),
		keyTo("concurrency",
			"what happens if its time comes while it runs; forbid: that time is skipped (the default); queue: it "+
				"runs again afterwards", word("forbid", "queue"),
			func(_ *problems, _ *node, t *Trigger, s string) { t.Queue = s == "queue" }),
		keyTo("missed_fires",
			"what happens after times were missed, because the machine slept; one: it runs once (the default); "+
				"skip: nothing", word("one", "skip"),
			func(_ *problems, _ *node, t *Trigger, s string) { t.CatchUp = s == "one" }))
	long.also = []*shape{short.shape}
	return value[Trigger]{long.shape, func(p *problems, n *node) (Trigger, bool) {
		if n.kind == mappingKind {
			return long.read(p, n)
		}
		t, ok := short.read(p, n)
		t.CatchUp = true
		return t, ok
	}}
}

// zoneFiles is the folder in which an image has its time zones. cginit carries none, because they would
// add a twentieth to its size.
const zoneFiles = "/usr/share/zoneinfo"

// zone reads the name of a time zone.
func zone() value[*time.Location] {
	return quoted(schemaText, func(s string) (*time.Location, error) {
		location, err := time.LoadLocation(s)
		if err != nil || s == "" {
			return nil, zoneError(s, zoneFiles)
		}
		return location, nil
	})
}

// zoneError returns the error for a time zone that cannot be loaded. dir is where the zones should be.
func zoneError(name, dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%q cannot be looked up: the image has no %s; install tzdata in it, or use UTC", name, dir)
	}
	return fmt.Errorf("%q is not a time zone; try Europe/Berlin or UTC", name)
}
