package scale

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/box"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// graph is a set of services, each of which depends on some of those before it.
type graph struct {
	after   [][]int
	version []int // changed by a reload
}

func newGraph(random *rand.Rand, n int) *graph {
	g := &graph{after: make([][]int, n), version: make([]int, n)}
	for i := 1; i < n; i++ {
		for range random.IntN(4) {
			g.after[i] = append(g.after[i], random.IntN(i))
		}
	}
	return g
}

func (g *graph) file(t *testing.T) string {
	var text strings.Builder
	text.WriteString("stop_grace_period: 60s\nservices:\n")
	for i, after := range g.after {
		fmt.Fprintf(&text, "  s%d:\n    command: [%s, daemon, '2']\n    stop_grace_period: 200ms\n    environment: {VERSION: %d}\n",
			i, harness.Bin(t, "trees"), g.version[i])
		if len(after) > 0 {
			text.WriteString("    depends_on:\n")
			seen := map[int]bool{}
			for _, on := range after {
				if !seen[on] {
					fmt.Fprintf(&text, "      s%d: {condition: service_started}\n", on)
				}
				seen[on] = true
			}
		}
	}
	return text.String()
}

// TestGraph plays rounds of start, random kills, reload and stop with thirty services that leave
// daemons behind. It checks that the order is always right, that no run starts beside leftovers of the
// one before, and that nothing is left. CGINIT_ROUNDS sets the number of rounds.
func TestGraph(t *testing.T) {
	rounds := 3
	if text := os.Getenv("CGINIT_ROUNDS"); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil {
			t.Fatalf("CGINIT_ROUNDS: %v", err)
		}
	}
	for round := range rounds {
		t.Run(strconv.Itoa(round), func(t *testing.T) { playRound(t, uint64(round)) })
	}
}

func playRound(t *testing.T, seed uint64) {
	const n = 30
	random := rand.New(rand.NewPCG(seed, 7))
	g := newGraph(random, n)
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("s%d", i)
	}
	b := box.Start(t, pod.Process1, g.file(t))
	b.Await(t, control.UntilReady, names...)
	// Only the service that crashes is started again.
	for range 5 {
		crash(t, b, names[random.IntN(n)])
	}
	b.Await(t, control.UntilReady, names...)
	for range 3 {
		g.version[random.IntN(n)]++
	}
	b.Write(t, g.file(t))
	if _, err := b.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.Await(t, control.UntilReady, names...)
	stopped := random.IntN(n)
	if _, err := b.Stop(t.Context(), control.StopParams{Jobs: []string{names[stopped]}}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Start(t.Context(), control.StartParams{Jobs: names}); err != nil {
		t.Fatal(err)
	}
	h, err := b.History(t.Context(), control.EventsParams{Since: new(int)})
	if err != nil {
		t.Fatal(err)
	}
	if h.Missed > 0 {
		t.Errorf("%d events are no longer kept", h.Missed)
	}
	g.checkStarts(t, h.Events)
	r := b.End(t, 0)
	g.checkStops(t, r)
}

// crash kills the main process of a service, if it has one.
func crash(t *testing.T, b *box.Box, name string) {
	t.Helper()
	s, err := b.Status(t.Context(), control.StatusParams{Job: name})
	if err != nil {
		t.Fatal(err)
	}
	if s.Job.Pid == 0 {
		return
	}
	if _, err := b.Client.Signal(t.Context(), control.SignalParams{Jobs: []string{name}, Signal: "KILL"}); err != nil {
		t.Logf("%s could not be signalled: %v", name, err) // it was ending already
	}
}

// checkStarts checks that a run begins only when all of its dependencies are ready, and after the
// receipt of the run before it.
func (g *graph) checkStarts(t *testing.T, events []control.Event) {
	t.Helper()
	ready := map[string]bool{}
	running := map[string]bool{}
	for _, e := range events {
		switch {
		case e.Kind == control.EventReceipt:
			running[e.Job] = false
		case e.Kind == control.EventState && e.State == control.Starting && !running[e.Job]:
			running[e.Job] = true
			i, _ := strconv.Atoi(e.Job[1:])
			for _, on := range g.after[i] {
				if name := fmt.Sprintf("s%d", on); !ready[name] {
					t.Errorf("event %d: %s is started, and %s, which it depends on, is not ready", e.Seq, e.Job, name)
				}
			}
		}
		if e.Kind == control.EventState {
			ready[e.Job] = e.State == control.Running
		}
	}
}

// checkStops checks that in the shutdown the last receipt of a job comes before those of its
// dependencies.
func (g *graph) checkStops(t *testing.T, r *pod.Result) {
	t.Helper()
	last := map[string]int{}
	for i, receipt := range r.Receipts {
		last[receipt.Job] = i
	}
	for i, after := range g.after {
		for _, on := range after {
			if a, b := last[fmt.Sprintf("s%d", i)], last[fmt.Sprintf("s%d", on)]; a > b {
				t.Errorf("s%d depends on s%d and ended after it", i, on)
			}
		}
	}
}
