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

// TestBudgetIsKept checks that the jobs that are left are killed early enough to write their receipts
// within the budget.
func TestBudgetIsKept(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b := start(t, l, deafChain, "-v")
		b.said("cginit: up\n")
		b.noted("db up", "web up", "proxy up", "polite up")
		b.Signal(unix.SIGTERM)
		r := b.ends(0)
		killed := 0
		for _, receipt := range r.Receipts {
			if receipt.Job == "db" || receipt.Job == "web" || receipt.Job == "proxy" {
				killed += receipt.Killed
			}
			if waited := receipt.Phases["ask"] + receipt.Phases["leave"]; waited > 1400 {
				t.Errorf("%s took %v ms to end, of a budget of 1500", receipt.Job, waited)
			}
		}
		if killed < 3 || len(receipts(r, "polite")) != 1 || receipts(r, "polite")[0].Cause != "stopped" {
			t.Errorf("stderr: %s", r.Stderr)
		}
		b.order("polite SIGTERM")
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
