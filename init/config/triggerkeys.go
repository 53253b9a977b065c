package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// triggers are as they are written.
type triggers struct {
	manual   *bool
	schedule []Trigger
}

func triggersKey() *field {
	all := object(triggers{}, nil,
		key("manual", "true: started on request only; false: by its schedule only", pointer(boolean()),
			func(t *triggers) **bool { return &t.manual }),
		key("schedule", "when it runs", listOf(schedule()), func(t *triggers) *[]Trigger { return &t.schedule }))
	return keyTo("triggers", "when a job runs; without it, once at the start", all,
		func(p *problems, n *node, d *draft, t triggers) {
			switch {
			case t.manual == nil && n.get("schedule") == nil:
				p.wrongAll(n, "it must have manual or schedule")
			case n.get("schedule") == nil && !*t.manual:
				p.wrongAll(n, "nothing would ever start it; give it a schedule, or leave manual out")
			}
			d.triggers = &t
			d.Triggers = t.schedule
			d.Manual = t.manual != nil && *t.manual
			d.ScheduleOnly = t.manual != nil && !*t.manual
		})
}

// schedule is a cron expression, or a mapping with one.
func schedule() value[Trigger] {
	short := quoted(schemaText, func(s string) (Trigger, error) { return NewTrigger(s, nil) })
	long := object(Trigger{CatchUp: true}, nil,
		must(keyTo("cron", "five fields (minute, hour, day, month, weekday), or @daily and the like, or @every 5m", short,
			func(_ *problems, _ *node, t *Trigger, read Trigger) { t.Cron, t.times = read.Cron, read.times })),
		key("timezone", "of the times, such as Europe/Berlin; default: the container's own", zone(),
			func(t *Trigger) **time.Location { return &t.Location }),
		keyTo("concurrency", "while it runs: forbid (skip this time, the default) or queue (run again afterwards)", word("forbid", "queue"),
			func(_ *problems, _ *node, t *Trigger, s string) { t.Queue = s == "queue" }),
		keyTo("missed_fires", "times missed while the machine slept: one (run once, the default) or skip", word("one", "skip"),
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

// zoneFiles is where an image has its time zones. cginit carries none: they would be as large
// as a twentieth of it.
const zoneFiles = "/usr/share/zoneinfo"

func zone() value[*time.Location] {
	return quoted(schemaText, func(s string) (*time.Location, error) {
		location, err := time.LoadLocation(s)
		if err != nil || s == "" {
			return nil, zoneError(s, zoneFiles)
		}
		return location, nil
	})
}

func zoneError(name, dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%q cannot be looked up: the image has no %s; install tzdata in it, or use UTC", name, dir)
	}
	return fmt.Errorf("%q is not a time zone; try Europe/Berlin or UTC", name)
}
