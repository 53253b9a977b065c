package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// TestIdle counts how often cginit, its guardian and its holders wake up while nothing happens.
// CGINIT_IDLE sets for how long it counts.
func TestIdle(t *testing.T) {
	span := 5 * time.Second
	if text := os.Getenv("CGINIT_IDLE"); text != "" {
		var err error
		if span, err = time.ParseDuration(text); err != nil {
			t.Fatalf("CGINIT_IDLE: %v", err)
		}
	}
	dir := pod.OpenDir(t)
	file := filepath.Join(dir, "cginit.yaml")
	text := fmt.Sprintf("services: {a: {command: %s daemon 10}, b: {command: sleep 1000, user: auto}}", harness.Bin(t, "trees"))
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	command := trees(t, "daemon", "10")
	for name, c := range map[string]struct {
		mode pod.Mode
		args []string
		own  int // how many processes cginit itself has
		code int
	}{
		"command, process 1":         {pod.Process1, command, 1, 128 + 15},
		"command, subreaper":         {pod.Subreaper, command, 2, 128 + 15}, // with a guardian
		"command, process 1, pidns":  {pod.NoCgroup, command, 1, 128 + 15},
		"file, process 1":            {pod.Process1, []string{"--config", file}, 1, 0},
		"file, subreaper":            {pod.Subreaper, []string{"--config", file}, 2, 0},
		"file, process 1, tree, uid": {pod.NoCgroup, []string{"--config", file}, 4, 0}, // two holders and a spare one
	} {
		t.Run(name, func(t *testing.T) {
			if c.own == 4 {
				harness.AsRoot(t) // b has a uid of its own
			}
			t.Parallel()
			args := c.args
			if c.code == 0 {
				args = append([]string{"--socket", filepath.Join(pod.OpenDir(t), "socket")}, args...)
			}
			p := pod.Start(t, pod.Spec{Mode: c.mode, Args: args})
			p.Line("ready")
			var pids []int
			pod.Until(t, "cginit is as many processes as it becomes", func() bool {
				pids = []int{p.Pid}
				for _, own := range slices.Concat(p.Guardians(), p.Tree("cginit-holder")) {
					pids = append(pids, own.Pid)
				}
				return len(pids) == c.own
			})
			before := 0
			pod.Until(t, "the Go runtime comes to rest", func() bool {
				last := before
				before = switches(t, pids)
				time.Sleep(time.Second) // cginit must not wake up in this second
				return before == last
			})
			time.Sleep(span)
			if n := switches(t, pids) - before; n != 0 {
				t.Errorf("%d voluntary context switches in %s", n, span)
			}
			p.Signal(syscall.SIGTERM)
			ends(t, p, c.code)
		})
	}
}

// switches returns the sum of the voluntary context switches of all threads of the processes.
func switches(t *testing.T, pids []int) (sum int) {
	t.Helper()
	for _, pid := range pids {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
		if len(tasks) == 0 {
			t.Fatalf("process %d has ended", pid)
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
