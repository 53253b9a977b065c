package scale

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/box"
	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

// TestThousandServices checks that each service costs at most 5 kB of process 1's private memory, and
// that all are stopped within the budget.
func TestThousandServices(t *testing.T) {
	const n = 1000
	memory := func(services int) int {
		var text strings.Builder
		text.WriteString("stop_grace_period: 60s\nservices:\n")
		for i := range services {
			fmt.Fprintf(&text, "  s%d: {command: sleep 100000}\n", i)
		}
		b := box.Start(t, pod.Process1, text.String())
		b.Await(t, control.UntilReady, fmt.Sprintf("s%d", services-1))
		if h, err := b.Health(t.Context()); err != nil || !h.Healthy {
			t.Fatalf("not healthy: %v, %v", h, err)
		}
		kb := b.Private(t)
		r := b.End(t, 0)
		if len(r.Receipts) != services {
			t.Errorf("%d receipts for %d services", len(r.Receipts), services)
		}
		return kb
	}
	one := memory(1)
	all := memory(n)
	each := float64(all-one) / (n - 1)
	t.Logf("private memory: %d kB with one service, %d kB with %d: %.1f kB each", one, all, n, each)
	if each > 5 {
		t.Errorf("%.1f kB of private memory for each service, more than 5", each)
	}
}

// TestRestartStorm runs 200 services that crash at the same time, again and again. They must cost
// process 1 less than a twentieth of one processor, and other calls must be answered meanwhile.
// CGINIT_STORM sets how long.
func TestRestartStorm(t *testing.T) {
	const n = 200
	took := 15 * time.Second
	if text := os.Getenv("CGINIT_STORM"); text != "" {
		var err error
		if took, err = time.ParseDuration(text); err != nil {
			t.Fatalf("CGINIT_STORM: %v", err)
		}
	}
	dir := pod.OpenDir(t)
	// The services wait at the gate. Once the file begin exists they crash at once.
	begin, gate := dir+"/begin", dir+"/gate"
	if err := unix.Mkfifo(gate, 0o644); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	text.WriteString("services:\n")
	for i := range n {
		fmt.Fprintf(&text, "  s%d: {command: [sh, -c, '[ -e %s ] || read x <%s; exit 1']}\n", i, begin, gate)
	}
	text.WriteString("  quiet: {command: sleep 100000}\n")
	b := box.Start(t, pod.Process1, text.String())
	b.Await(t, control.UntilReady, "quiet", fmt.Sprintf("s%d", n-1))
	if err := os.WriteFile(begin, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(gate, nil, 0); err != nil { // opens and closes the gate
		t.Fatal(err)
	}
	before, begun := b.Ticks(t), time.Now()
	answers := 0
	for time.Since(begun) < took {
		r, err := b.Status(t.Context(), control.StatusParams{Job: "quiet"})
		if err != nil || r.Job.State != control.Running {
			t.Fatalf("the service quiet is %v, %v", r, err)
		}
		answers++
		<-time.After(250 * time.Millisecond)
	}
	share := float64(b.Ticks(t)-before) / 100 / time.Since(begun).Seconds()
	kb := b.Private(t)
	t.Logf("%.1f %% of one processor, %d kB of private memory, %d answers in %s", 100*share, kb, answers, took)
	if kb > 8<<10 {
		t.Errorf("cginit has %d kB of private memory, more than 8 MB", kb)
	}
	if os.Getenv("CGINIT_STORM") != "" && share > 0.05 {
		t.Errorf("cginit used %.1f %% of one processor, more than 5", 100*share)
	}
	r := b.End(t, 0)
	if len(r.Receipts) < 2*n {
		t.Errorf("only %d receipts: not all were started again", len(r.Receipts))
	}
}
