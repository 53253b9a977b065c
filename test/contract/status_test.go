package contract

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestExitStatus checks the exit status of cginit with a file: that of the essential job, or that of
// the first job that failed, or else 0. The tests of rule 6 check the status of a failed start.
func TestExitStatus(t *testing.T) {
	const idle = "\tidle: {command: $ACT serve idle}\n"
	for name, c := range map[string]struct {
		file string
		code int
	}{
		"all is done":                         {"jobs: {a: {command: 'true'}, b: {command: 'true', depends_on: {a: {condition: service_completed_successfully}}}}", 0},
		"an essential job is done":            {"services:\n" + idle + "jobs: {a: {command: 'true', essential: true}}", 0},
		"an essential job fails":              {"services:\n" + idle + "jobs: {a: {command: \"sh -c 'exit 5'\", essential: true}}", 5},
		"an essential job dies":               {"services:\n" + idle + "jobs: {a: {command: \"sh -c 'kill -9 $$$$'\", essential: true}}", 137},
		"an essential job takes too long":     {"services:\n" + idle + "jobs: {a: {command: sleep inf, essential: true, timeout: 50ms}}", 124},
		"an essential job is not found":       {"services:\n" + idle + "jobs: {a: {command: /no/such/file, essential: true}}", 127},
		"an essential job is not executable":  {"services:\n" + idle + "jobs: {a: {command: /etc/passwd, essential: true}}", 126},
		"a job fails, the others go on":       {"jobs: {a: {command: \"sh -c 'read x < $DIR/gate; exit 6'\"}, b: {command: \"sh -c 'read x < $DIR/gate2'\"}}", 6},
		"a job takes too long":                {"jobs: {a: {command: \"sh -c 'read x < $DIR/gate; exec sleep inf'\", timeout: 2s}}", 124},
		"a job that may not fail so often":    {"jobs: {a: {command: \"sh -c 'read x < $DIR/gate; exit 6'\", restart: 'on-failure:1'}}", 6},
		"a job fails first and is well later": {"jobs: {a: {command: \"sh -c 'read x < $DIR/gate; mkdir $DIR/tried'\", restart: 'on-failure:1'}, b: {command: \"sh -c 'read x < $DIR/gate2'\"}}", 0},
	} {
		t.Run(name, func(t *testing.T) {
			inLevels(t, func(t *testing.T, l level) {
				b, open, open2 := gatedTwice(t, l, c.file)
				for range 2 { // a job that failed reads once more in its next run
					open()
				}
				open2()
				b.ends(c.code)
			})
		})
	}
	t.Run("two jobs fail", func(t *testing.T) {
		inLevels(t, func(t *testing.T, l level) {
			b := start(t, l, `
jobs:
	a: {command: `+sh("until test -e $DIR/a; do sleep 0.02; done; exit 6")+`}
	b: {command: `+sh("until test -e $DIR/b; do sleep 0.02; done; exit 7")+`}
`, "-v")
			b.said("cginit: up")
			b.touch("a")
			b.said("a has failed")
			b.touch("b")
			b.ends(6)
		})
	})
	t.Run("asked to end", func(t *testing.T) {
		inLevels(t, func(t *testing.T, l level) {
			b := start(t, l, `
services:
	web: {command: sh -c "trap 'exit 9' TERM; echo web up >> $LOG; while :; do sleep 0.02; done"}
jobs:
	batch: {command: sleep inf}
	failed: {command: sh -c "echo ran >> $LOG; exit 7", triggers: {schedule: ["@every 1s"]}}
`)
			b.noted("web up", "ran")
			b.said("failed has failed and is not started again before its next time")
			b.Signal(unix.SIGTERM)
			b.ends(0)
		})
	})
	t.Run("asked to end, with an essential job", func(t *testing.T) {
		inLevels(t, func(t *testing.T, l level) {
			b := start(t, l, `
services:
	other: {command: $ACT serve other deaf, stop_grace_period: 0s}
	main: {command: sh -c "trap 'exit 7' TERM; echo main up >> $LOG; while :; do sleep 0.02; done", essential: true}
`)
			b.noted("main up", "other up")
			b.Signal(unix.SIGTERM)
			b.ends(7)
		})
	})
	t.Run("asked to end while it starts", func(t *testing.T) {
		inLevels(t, func(t *testing.T, l level) {
			b := start(t, l, `
services:
	db: {command: $ACT serve db, ready: notify}
	web: {command: $ACT serve web, depends_on: [db]}
	steps: {command: $ACT serve steps, pre_start: [{command: $ACT serve step}]}
`)
			b.noted("db up", "step up")
			b.Signal(unix.SIGTERM)
			b.ends(0)
			b.order("db SIGTERM")
			b.order("step SIGTERM")
			if b.count("web up")+b.count("steps up") > 0 {
				t.Errorf("notes %q", b.notes())
			}
		})
	})
}
