package contract

import (
	"strings"
	"testing"
	"time"

	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

// deafChain has services that ignore SIGTERM, at three levels of dependency. Their grace periods
// together are longer than the budget of the shutdown.
const deafChain = `
stop_grace_period: 1500ms
services:
	db: {command: $ACT serve db deaf}
	web: {command: $ACT serve web deaf, depends_on: [db]}
	proxy: {command: $ACT serve proxy deaf, depends_on: [web], pre_stop: [{command: sleep inf}]}
	polite: {command: $ACT serve polite, depends_on: [proxy]}
`

// TestBudgetIsKept checks that the jobs that are left are killed when the budget is over, and not before.
func TestBudgetIsKept(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b := start(t, l, deafChain, "-v")
		b.said("cginit: up\n")
		b.noted("db up", "web up", "proxy up", "polite up")
		asked := time.Now()
		b.Signal(unix.SIGTERM)
		r := b.ends(0)
		// docker stop gives a second more than the default budget, for the kill and the receipts.
		if took := time.Since(asked); took < 1500*time.Millisecond || took > 2500*time.Millisecond {
			t.Errorf("the shutdown took %v, with a budget of 1.5s", took)
		}
		killed := 0
		for _, receipt := range r.Receipts {
			if receipt.Job == "db" || receipt.Job == "web" || receipt.Job == "proxy" {
				killed += receipt.Killed
			}
		}
		if killed < 3 || len(receipts(r, "polite")) != 1 || receipts(r, "polite")[0].Cause != "stopped" {
			t.Errorf("stderr: %s", r.Stderr)
		}
		b.order("polite SIGTERM")
	})
}

// TestCutIsSaid checks that the start and --check say which grace period the budget cuts short.
func TestCutIsSaid(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		const file = "stop_grace_period: 1s\nservices: {web: {command: $ACT serve web, stop_grace_period: 30s}}"
		const said = "web: its stop_grace_period of 30s can be cut by 29s"
		b := start(t, l, file)
		b.noted("web up")
		b.Signal(unix.SIGTERM)
		says(t, b.ends(0), said)
		says(t, start(t, l, file, "--check").ends(0), said)
	})
}

// TestSecondSignalHurries checks that a second signal ends all grace periods, unless it comes so soon that
// it is the same request.
func TestSecondSignalHurries(t *testing.T) {
	for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGINT} {
		t.Run(unix.SignalName(sig), func(t *testing.T) {
			inLevels(t, func(t *testing.T, l level) {
				b := start(t, l, `
stop_grace_period: 1h
services:
	db: {command: $ACT serve db deaf, stop_grace_period: 1h}
	web: {command: $ACT serve web deaf, stop_grace_period: 1h, depends_on: [db]}
`)
				b.noted("db up", "web up")
				b.Signal(sig)
				b.noted("web SIGTERM")
				asked := time.Now()
				pod.Until(t, "the kill", func() bool {
					if !strings.Contains(b.Stderr(), "asked again to end") {
						b.Signal(sig)
						return false
					}
					return true
				})
				if took := time.Since(asked); took < 400*time.Millisecond {
					t.Errorf("a repetition after %v counts as a second request", took)
				}
				r := b.ends(0)
				for _, job := range []string{"db", "web"} {
					if all := receipts(r, job); len(all) != 1 || all[0].Killed != 1 {
						t.Errorf("%s: %+v", job, all)
					}
				}
				says(t, r, "asked again to end")
			})
		})
	}
}
