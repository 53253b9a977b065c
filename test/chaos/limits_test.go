package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

// TestReportFull: a receipt that cannot be written is said, and changes nothing else.
func TestReportFull(t *testing.T) {
	inModes(t, func(t *testing.T, mode pod.Mode) {
		for name, report := range map[string]string{"dev full": "/dev/full", "tmpfs": fullTmpfs(t)} {
			t.Run(name, func(t *testing.T) {
				p := pod.Start(t, pod.Spec{Mode: mode, Report: report, Args: trees(t, "daemon", "5", "--exit", "3")})
				p.EndInput()
				r := ends(t, p, 3)
				if n := strings.Count(strings.ToLower(r.Stderr), "no space left"); n != 1 {
					t.Errorf("it was said %d times; stderr: %s", n, r.Stderr)
				}
			})
		}
	})
}

func fullTmpfs(t *testing.T) string {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=4k"); err != nil {
		harness.Missing(t, "mount: "+err.Error())
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	if err := os.WriteFile(filepath.Join(dir, "filler"), make([]byte, 4096), 0o644); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "receipts")
}

// goRuntime is the status of a Go program whose runtime itself was refused a thread or a
// descriptor: nothing that cginit could do would help it.
const goRuntime = 2

// TestFewDescriptors runs cginit with hardly any descriptors.
func TestFewDescriptors(t *testing.T) {
	inModes(t, func(t *testing.T, mode pod.Mode) {
		worked := 0
		for limit := 4; limit <= 20; limit++ {
			limited := fmt.Sprintf("--nofile=%d", limit)
			p := pod.Start(t, pod.Spec{Mode: mode, Untraced: true, Wrap: []string{"prlimit", limited}, Args: trees(t, "daemon", "5", "--exit", "3")})
			p.EndInput()
			worked += refuses(t, p, limited, 3, 71)
		}
		if worked == 0 {
			t.Error("not even 20 descriptors were enough")
		}
	})
}

// TestFewProcesses runs cginit as a user who may have hardly any processes.
func TestFewProcesses(t *testing.T) {
	worked := 0
	for limit := 1; limit <= 49; limit += 4 {
		limited := fmt.Sprintf("--nproc=%d", limit)
		p := pod.Start(t, pod.Spec{
			Mode: pod.Subreaper, UID: 54321, Untraced: true, Wrap: []string{"prlimit", limited}, Args: []string{"--", "sh", "-c", "exit 3"},
		})
		worked += refuses(t, p, limited, 3)
	}
	if worked == 0 {
		t.Error("not even 49 processes were enough")
	}
}

// refuses fails the test unless the run did what it had to or said why not, and left nothing.
// It returns 1 if it did.
func refuses(t *testing.T, p *pod.Pod, what string, good ...int) int {
	t.Helper()
	r := p.Wait()
	// A runtime that gives up ends us as SIGKILL does: our guardian sees to the rest, and Wait has
	// waited for that.
	if err := r.Clean(); err != nil && r.Code != goRuntime {
		t.Errorf("%s: %v", what, err)
	}
	switch {
	case slices.Contains(good, r.Code):
		return 1
	case (r.Code == 125 || r.Code == goRuntime) && r.Stderr != "":
		t.Logf("%s: %d, %.150s", what, r.Code, r.Stderr)
	default:
		t.Errorf("%s: cginit ended with %d (signal %d); stderr: %s", what, r.Code, r.Signal, r.Stderr)
	}
	return 0
}
