package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/harm"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// hostile are a job that tries to harm others while it forks, and a harmless neighbour.
const hostile = `
socket: /shared/socket
services:
  good: {command: [sh, -c, "sleep 1000 & echo good; wait"]}
  bad:
    command: [/shared/hostile, /shared/, /shared/trees]
    stop_grace_period: 300ms
    seal: true
`

// Hostile runs the two jobs in a container that begin starts with the file SiteConfig, and stops the hostile one. It
// must have been refused everything, and nothing of it be left. must are the ways that it must have tried.
func (e *Engine) Hostile(t testing.TB, level string, begin func(b *Box), must ...string) {
	t.Helper()
	b := e.Box(t)
	for _, program := range []string{"trees", "hostile"} {
		copyFile(t, harness.Bin(t, program), filepath.Join(b.Dir, program))
	}
	if err := os.WriteFile(filepath.Join(b.Dir, filepath.Base(SiteConfig)), []byte(hostile), 0o644); err != nil {
		t.Fatal(err)
	}
	begin(b)
	b.Says("done\n")
	b.Await("both trees to be complete", func() bool { return strings.Count(b.Logs(), "ready\n") == 2 })
	harm.Judge(t, strings.Split(b.Logs(), "\n"), must...)
	client, err := control.Dial(t.Context(), filepath.Join(b.Dir, "socket"), pod.Patience)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	before := status(t, client, "good").Job
	if _, err := client.Stop(t.Context(), control.StopParams{Jobs: []string{"bad"}}); err != nil {
		t.Fatal(err)
	}
	r := status(t, client, "bad").Receipt
	if r == nil || r.Containment != level || r.Killed < 10 || r.Unkillable > 0 {
		t.Errorf("the receipt says %+v", r)
	}
	if after := status(t, client, "good").Job; after.State != control.Running || after.Run != before.Run || after.Restarts > 0 {
		t.Errorf("the neighbour was touched: %+v", after)
	}
	if left := strings.Count(fmt.Sprint(marked(b.Mark)), "/shared/trees"); left > 0 {
		t.Errorf("%d processes of the job live: %v", left, marked(b.Mark))
	}
	if err := client.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.Wait()
}

func status(t testing.TB, client *control.Client, job string) *control.StatusReply {
	t.Helper()
	s, err := client.Status(t.Context(), control.StatusParams{Job: job})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
