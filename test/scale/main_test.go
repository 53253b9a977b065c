// Package scale runs cginit with many services: in random order of dependency, crashing all at
// once, or just there. What it costs is bounded, and nothing of it is left.
package scale

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	code := m.Run()
	pod.RemoveTop()
	os.Exit(code)
}

// box is a cginit that runs a file, and a connection to it.
type box struct {
	*pod.Pod
	*control.Client
	file string
}

// start runs a file in a pod and waits until it answers.
func start(t *testing.T, mode pod.Mode, text string) *box {
	t.Helper()
	dir := pod.OpenDir(t)
	b := &box{file: filepath.Join(dir, "cginit.yaml")}
	b.write(t, text)
	socket := filepath.Join(dir, "s")
	b.Pod = pod.Start(t, pod.Spec{Mode: mode, Args: []string{"--config", b.file, "--socket", socket}})
	var err error
	b.Client, err = control.Dial(t.Context(), socket, pod.Patience)
	if err != nil {
		t.Fatalf("%v; stderr: %s", err, b.Stderr())
	}
	t.Cleanup(func() { b.Client.Close() })
	return b
}

func (b *box) write(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(b.file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// await waits until jobs have come so far.
func (b *box) await(t *testing.T, until string, jobs ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), pod.Patience)
	defer cancel()
	if _, err := b.Client.Wait(ctx, control.WaitParams{Jobs: jobs, Until: until}); err != nil {
		t.Fatalf("waiting for %v to be %s: %v; stderr: %s", jobs, until, err, b.Stderr())
	}
}

// end shuts it down and looks at what is left.
func (b *box) end(t *testing.T, code int) *pod.Result {
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

// private is the memory that is cginit's alone, in kB.
func (b *box) private(t *testing.T) int {
	t.Helper()
	unix.Sync() // the pages of a binary just built would count as dirty
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", b.Pid))
	if err != nil {
		harness.Missing(t, "smaps_rollup: "+err.Error())
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "Private_Dirty:"); ok {
			n, _ := strconv.Atoi(strings.Fields(value)[0])
			return n
		}
	}
	t.Fatal("smaps_rollup says nothing of Private_Dirty")
	return 0
}

// ticks is the CPU time that cginit itself has used, in hundredths of a second.
func (b *box) ticks(t *testing.T) int {
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
