package controlled

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/box"
	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

// TestStopWhileStarting checks that the start goes on without a service that never gets ready, once
// that service is stopped.
func TestStopWhileStarting(t *testing.T) {
	b := box.Start(t, pod.Process1, `
services:
  web: {command: [sleep, '1000']}
  never: {command: [sleep, '1000'], ready: notify}
`)
	b.Await(t, control.UntilReady, "web")
	if _, err := b.Stop(t.Context(), control.StopParams{Jobs: []string{"never"}}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), pod.Patience)
	defer cancel()
	for reply, err := range b.Dial(t).Events(ctx, control.EventsParams{Since: new(int)}) {
		if err != nil {
			t.Fatalf("there is no event that cginit is up: %v", err)
		}
		if slices.ContainsFunc(reply.Events, func(e control.Event) bool {
			return e.Kind == control.EventSupervisor && e.Message == "up"
		}) {
			break
		}
	}
	b.End(t, 0)
}

// TestSocketTaken checks that cginit does not replace the socket of a running supervisor, nor a file
// that is no socket. It does replace the socket of a supervisor that was killed.
func TestSocketTaken(t *testing.T) {
	b := box.Start(t, pod.Process1, plain)
	file := b.Socket + ".file"
	if err := os.WriteFile(file, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{b.Socket: "another supervisor answers there", file: "a file of that name that is no socket"} {
		r := pod.Start(t, pod.Spec{Mode: pod.Process1, Args: []string{"--socket", path, "--", "sleep", "1000"}}).Wait()
		if r.Code != 125 || !strings.Contains(r.Stderr, want) || r.Clean() != nil {
			t.Errorf("cginit ended with %d, %v: %s", r.Code, r.Clean(), r.Stderr)
		}
	}
	if text, err := os.ReadFile(file); string(text) != "precious" {
		t.Errorf("the file is %q, %v", text, err)
	}
	if _, err := b.List(t.Context(), control.ListParams{}); err != nil {
		t.Errorf("the first supervisor no longer answers: %v", err)
	}
	b.Pod.Signal(unix.SIGKILL)
	_ = b.Pod.Wait()
	p := pod.Start(t, pod.Spec{Mode: pod.Process1, Args: []string{"--socket", b.Socket, "--", "sh", "-c", "echo up; exec sleep 1000"}})
	p.Line("up")
	p.Signal(unix.SIGTERM)
	if r := p.Wait(); r.Clean() != nil {
		t.Error(r.Clean())
	}
}
