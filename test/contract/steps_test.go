package contract

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSteps checks that the steps run in their order, with the rights and the environment of their
// service, and again in each run.
func TestSteps(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b := start(t, l, `
services:
	web:
		command: 'sh -c "echo main $$X $$PWD >> $LOG; exec $ACT serve web"'
		working_dir: /usr
		environment: {X: "1"}
		pre_start:
			- command: sh -c 'echo pre1 $$X $$PWD >> $LOG'
			- {command: sh -c 'echo pre2 $$X $$PWD >> $LOG', working_dir: /etc, environment: {X: "2"}}
		post_start: [{command: sh -c 'echo post $$X >> $LOG'}]
		pre_stop: [{command: sh -c 'echo stop1 >> $LOG; exit 1'}, {command: sh -c 'echo stop2 >> $LOG'}]
`, "-v")
		b.said("cginit: up\n")
		b.noted("web up")
		b.crash("web")
		b.notedTimes(2, "web up")
		b.notedTimes(2, "post 1")
		b.Signal(unix.SIGTERM)
		r := b.ends(0)
		b.order("pre1 1 /usr", "pre2 2 /etc", "main 1 /usr", "pre1 1 /usr", "pre2 2 /etc", "main 1 /usr", "stop1", "stop2", "web SIGTERM")
		if b.count("post 1") != 2 { // beside the service, which is ready as soon as it is executed
			t.Errorf("post_start ran %d times; notes: %q", b.count("post 1"), b.notes())
		}
		says(t, r, "web: its pre_stop step 1 failed: exited after")
		if b.count("stop1") != 1 {
			t.Errorf("pre_stop ran for a run that had crashed; notes: %q", b.notes())
		}
	})
}

// TestStepsEndWithTheirService checks that a pre_stop step is killed when the main process ends, and
// that no further step begins.
func TestStepsEndWithTheirService(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b := start(t, l, `
services:
	web:
		command: $ACT serve web
		pre_stop: [{command: 'sh -c "echo drain >> $LOG; pkill -TERM -u $$(id -u) -f \"act serve web$$\"; exec sleep inf"'}, {command: sh -c 'echo never >> $LOG'}]
`)
		b.noted("web up")
		b.Signal(unix.SIGTERM)
		b.noted("drain")
		b.ends(0)
		if b.count("never") > 0 {
			t.Errorf("notes %q", b.notes())
		}
	})
}

// TestTimeout checks that a run is torn down when its timeout has passed, with the processes that it
// has started.
func TestTimeout(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b := start(t, l, `
jobs:
	batch: {command: 'sh -c "$ACT daemon child; exec $ACT serve batch"', timeout: 1s, essential: true}
`)
		b.ends(124)
	})
}

// TestLeftovers checks what happens to the other processes when the main process ends by itself.
func TestLeftovers(t *testing.T) {
	for way, want := range map[string]string{"stop": "child SIGTERM", "kill": "", "wait": "child SIGTERM"} {
		t.Run(way, func(t *testing.T) {
			inLevels(t, func(t *testing.T, l level) {
				b := start(t, l, `
services: {db: {command: $ACT serve db}}
jobs:
	batch: {command: 'sh -c "$ACT daemon child; until grep -q \"child up\" $LOG; do sleep 0.02; done; echo main ended >> $LOG"', leftovers: `+way+`}
`)
				b.noted("main ended", "child up", "db up")
				if way == "wait" {
					if b.count("child SIGTERM") > 0 {
						t.Error("the leftover was asked to end")
					}
					b.Signal(unix.SIGTERM)
				}
				if want != "" {
					b.noted(want)
				}
				if way != "wait" {
					b.said("batch: exited")
					b.Signal(unix.SIGTERM)
				}
				r := b.ends(0)
				if batch := receipts(r, "batch"); len(batch) != 1 || (batch[0].Killed == 1) != (way == "kill") {
					t.Errorf("%+v", batch)
				}
			})
		})
	}
}

// TestScaleAndProfiles checks that each copy of a job has a name of its own, and that a job that no
// profile selects does not run.
func TestScaleAndProfiles(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b := start(t, l, `
services:
	web: {command: $ACT serve web, scale: 3}
	next: {command: $ACT serve next, depends_on: [web]}
	debug: {command: $ACT serve debug, profiles: [debug]}
	extra: {command: $ACT serve extra, profiles: [extra]}
`, "--profile", "extra")
		b.noted("next up", "extra up")
		b.notedTimes(3, "web up")
		b.Signal(unix.SIGTERM)
		r := b.ends(0)
		for _, name := range []string{"web-1", "web-2", "web-3"} {
			if len(receipts(r, name)) != 1 {
				t.Errorf("%s has not run once: %+v", name, r.Receipts)
			}
		}
		if b.count("debug up") > 0 {
			t.Errorf("notes %q", b.notes())
		}
	})
}

// TestSchedule checks that jobs run at their times, and that a job never runs twice at the same time.
func TestSchedule(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b := start(t, l, `
jobs:
	tick: {command: sh -c 'echo tick >> $LOG', triggers: {schedule: ["@every 1s"]}}
	slow: {command: 'sh -c "mkdir $DIR/slow || echo twice >> $LOG; sleep 1.5; rmdir $DIR/slow; echo slow >> $LOG"', triggers: {schedule: ["@every 1s"]}}
	queue: {command: 'sh -c "mkdir $DIR/queue || echo twice >> $LOG; sleep 1.5; rmdir $DIR/queue; echo queue >> $LOG"', triggers: {schedule: [{cron: "@every 1s", concurrency: queue}]}}
	hand: {command: sh -c 'echo hand >> $LOG', triggers: {manual: true}}
`)
		b.notedTimes(3, "tick")
		b.notedTimes(2, "slow")
		b.notedTimes(2, "queue")
		b.Signal(unix.SIGTERM)
		r := b.ends(0)
		if b.count("twice")+b.count("hand") > 0 {
			t.Errorf("notes %q", b.notes())
		}
		if !strings.Contains(r.Stderr, "slow: its time has come while it still runs, so it is skipped") || strings.Contains(r.Stderr, "queue: its time") {
			t.Errorf("stderr: %s", r.Stderr)
		}
	})
}

// TestRestartPolicies checks how often a service runs that exits with 0, and one that exits with 1.
func TestRestartPolicies(t *testing.T) {
	for policy, want := range map[string]string{
		`restart: "no"`:         "good bad",
		"restart: on-failure:2": "good bad bad bad",
		"deploy: {restart_policy: {condition: on-failure, delay: 1ms, max_attempts: 1}}": "good bad bad",
	} {
		t.Run(policy, func(t *testing.T) {
			inLevels(t, func(t *testing.T, l level) {
				b, open, open2 := gatedTwice(t, l, fmt.Sprintf(`
services:
	good: {command: 'sh -c "read x < $DIR/gate; echo good >> $LOG"', %s}
	bad: {command: 'sh -c "[ -e $DIR/bad ] || read x < $DIR/gate2; touch $DIR/bad; echo bad >> $LOG; exit 1"', %s}
`, policy, policy), "-v")
				b.said("cginit: up\n")
				open()
				open2()
				b.ends(0) // ends because nothing is left to run
				notes := b.notes()
				slices.SortFunc(notes, func(x, y string) int { return strings.Compare(y, x) })
				if got := strings.Join(notes, " "); got != want {
					t.Errorf("%q, not %q", got, want)
				}
			})
		})
	}
}
