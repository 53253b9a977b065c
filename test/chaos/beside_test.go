package chaos

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// TestBesideABomb checks that cginit answers, and that a signal reaches another job, while a fork bomb runs in
// one job; and that a stop ends the bomb.
func TestBesideABomb(t *testing.T) {
	harness.AsRoot(t) // without CAP_SYS_NICE cginit gets no more of the CPU than each process of the bomb
	dir := pod.OpenDir(t)
	socket, file := filepath.Join(dir, "socket"), filepath.Join(dir, "cginit.yaml")
	text := fmt.Sprintf(`
socket: %s
stop_grace_period: 1s
services:
  bomb: {command: [%s, bomb, "200"], depends_on: [other]}
jobs:
  other: {command: [sh, -c, "trap 'echo heard; exit 0' TERM; echo up; while :; do sleep 1000 & wait; done"]}
`, socket, harness.Bin(t, "trees"))
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	p := pod.Start(t, pod.Spec{Mode: pod.Process1, Args: []string{"--config", file}})
	p.Line("up")
	p.Line("ready")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := control.Dial(ctx, socket, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	since := time.Now()
	if _, err := c.List(ctx, control.ListParams{}); err != nil {
		t.Fatal(err)
	}
	t.Logf("a list of the jobs took %v", time.Since(since))
	if _, err := c.Signal(ctx, control.SignalParams{Jobs: []string{"other"}, Signal: "TERM"}); err != nil {
		t.Fatal(err)
	}
	p.Line("heard")
	t.Logf("the other job had heard its signal after %v", time.Since(since))
	p.Signal(syscall.SIGTERM)
	ends(t, p, 0)
}
