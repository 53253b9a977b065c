package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/cginit/cginit/test/internal/pod"
)

// TestIdle counts how often cginit and its guardian leave their sleep while nothing happens.
// CGINIT_IDLE is how long it looks.
func TestIdle(t *testing.T) {
	span := 5 * time.Second
	if text := os.Getenv("CGINIT_IDLE"); text != "" {
		var err error
		if span, err = time.ParseDuration(text); err != nil {
			t.Fatalf("CGINIT_IDLE: %v", err)
		}
	}
	inModes(t, func(t *testing.T, mode pod.Mode) {
		t.Parallel()
		p := pod.Start(t, pod.Spec{Mode: mode, Args: trees(t, "daemon", "10")})
		p.Line("ready")
		pids := []int{p.Pid}
		for _, guardian := range p.Guardians() {
			pids = append(pids, guardian.Pid)
		}
		if mode == pod.Subreaper && len(pids) != 2 {
			t.Fatalf("cginit is %d processes, its guardian among them", len(pids))
		}
		before := 0
		pod.Until(t, "the Go runtime comes to rest", func() bool {
			last := before
			before = switches(t, pids)
			time.Sleep(time.Second) // of which it has to use none
			return before == last
		})
		time.Sleep(span)
		if n := switches(t, pids) - before; n != 0 {
			t.Errorf("%d voluntary context switches in %s", n, span)
		}
		p.Signal(syscall.SIGTERM)
		ends(t, p, 128+15)
	})
}

// switches sums the voluntary context switches of all threads.
func switches(t *testing.T, pids []int) (sum int) {
	t.Helper()
	for _, pid := range pids {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
		if len(tasks) == 0 {
			t.Fatalf("process %d has gone", pid)
		}
		for _, task := range tasks {
			tid, _ := strconv.Atoi(filepath.Base(task))
			n, err := strconv.Atoi(pod.Status(tid, "voluntary_ctxt_switches"))
			if err != nil {
				t.Fatal(err)
			}
			sum += n
		}
	}
	return sum
}
