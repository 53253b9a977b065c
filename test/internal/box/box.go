// Package box runs a cginit with a file in a pod and connects to its control socket.
package box

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/pod"
)

// Box is a cginit that runs a file, and a connection to its control socket.
type Box struct {
	*pod.Pod
	*control.Client
	Socket string

	file string
}

// Start runs a file in a pod and waits until cginit answers on its socket.
func Start(t testing.TB, mode pod.Mode, text string) *Box {
	t.Helper()
	dir := pod.OpenDir(t)
	b := &Box{file: filepath.Join(dir, "cginit.yaml"), Socket: filepath.Join(dir, "s")}
	b.Write(t, text)
	b.Pod = pod.Start(t, pod.Spec{Mode: mode, Args: []string{"--config", b.file, "--socket", b.Socket}})
	b.Client = b.Dial(t)
	return b
}

// Dial makes another connection, which ends with the test.
func (b *Box) Dial(t testing.TB) *control.Client {
	t.Helper()
	c, err := control.Dial(t.Context(), b.Socket, pod.Patience)
	if err != nil {
		t.Fatalf("%v; stderr: %s", err, b.Stderr())
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// Write replaces the configuration file.
func (b *Box) Write(t testing.TB, text string) {
	t.Helper()
	if err := os.WriteFile(b.file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Await waits until the jobs have reached a state.
func (b *Box) Await(t testing.TB, until string, jobs ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), pod.Patience)
	defer cancel()
	if _, err := b.Client.Wait(ctx, control.WaitParams{Jobs: jobs, Until: until}); err != nil {
		t.Fatalf("waiting for %v to be %s: %v; stderr: %s", jobs, until, err, b.Stderr())
	}
}

// End shuts cginit down, checks its exit code, and checks that nothing is left.
func (b *Box) End(t testing.TB, code int) *pod.Result {
	t.Helper()
	if err := b.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := b.Pod.Wait()
	if r.Code != code || r.Signal != 0 {
		t.Errorf("cginit ended with %d (signal %d), not %d; stderr: %s", r.Code, r.Signal, code, r.Stderr)
	}
	if err := r.Clean(); err != nil {
		t.Error(err)
	}
	return r
}

// Private returns the memory that belongs to cginit alone, in kB.
func (b *Box) Private(t testing.TB) int {
	t.Helper()
	return pod.PrivateDirty(t, b.Pid)
}

// Ticks returns the CPU time that cginit itself has used, in hundredths of a second.
func (b *Box) Ticks(t testing.TB) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", b.Pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return user + system
}
