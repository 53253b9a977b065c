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

// TestReportFull checks that cginit reports once that it cannot write a receipt, and otherwise goes on
// as usual.
func TestReportFull(t *testing.T) {
	inModes(t, func(t *testing.T, mode pod.Mode) {
		for name, report := range map[string]string{"dev full": "/dev/full", "tmpfs": fullTmpfs(t)} {
			t.Run(name, func(t *testing.T) {
				p := pod.Start(t, pod.Spec{Mode: mode, Report: report, Args: trees(t, "daemon", "5", "--exit", "3")})
				p.EndInput()
				r := ends(t, p, 3)
				if n := strings.Count(strings.ToLower(r.Stderr), "no space left"); n != 1 {
					t.Errorf("the full disk was reported %d times, not once; stderr: %s", n, r.Stderr)
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

// goRuntime is the exit status of a Go program whose runtime could not get a thread or a descriptor.
// cginit cannot do anything about that.
const goRuntime = 2

// TestFewDescriptors runs cginit with very low limits of descriptors.
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
			t.Error("cginit works with none of the limits up to 20 descriptors")
		}
	})
}

// TestNoDescriptorsLeft takes away the right to open anything while a job runs. The job still ends, all of
// it and in time. The receipt says that it does not know how many were killed.
func TestNoDescriptorsLeft(t *testing.T) {
	inModes(t, func(t *testing.T, mode pod.Mode) {
		for name, c := range map[string]struct {
			end    func(p *pod.Pod)
			status int
		}{
			"exits": {func(p *pod.Pod) { p.EndInput() }, 3},
			"TERM":  {func(p *pod.Pod) { p.Signal(unix.SIGTERM) }, 128 + 9},
		} {
			t.Run(name, func(t *testing.T) {
				args := append([]string{"--stop-grace-period", "100ms"}, trees(t, "deaf", "5", "--exit", "3")...)
				p := pod.Start(t, pod.Spec{Mode: mode, Untraced: true, Args: args})
				p.Line("ready")
				if err := unix.Prlimit(p.Pid, unix.RLIMIT_NOFILE, &unix.Rlimit{}, nil); err != nil {
					t.Fatal(err)
				}
				c.end(p)
				r := p.Wait()
				if r.Code != c.status || len(r.Receipts) != 1 {
					t.Fatalf("status %d, receipts %+v; stderr: %s", r.Code, r.Receipts, r.Stderr)
				}
				if got := r.Receipts[0]; got.Incomplete == "" || got.Left != 0 || got.Unkillable != 0 {
					t.Errorf("receipt %+v; stderr: %s", got, r.Stderr)
				}
				// Without a descriptor nobody can be seen, but all of them are dead.
				if len(r.Alive)+len(r.Zombies) > 0 {
					t.Error(r.Clean())
				}
			})
		}
	})
}

// TestFewProcesses runs cginit as a user with very low limits of processes.
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
		t.Error("cginit works with none of the limits up to 49 processes")
	}
}

// refuses returns 1 if the run ended with one of the good exit codes, and 0 if cginit or the Go runtime
// gave up with a message. Anything else fails the test, and so does anything that is left.
func refuses(t *testing.T, p *pod.Pod, what string, good ...int) int {
	t.Helper()
	r := p.Wait()
	// When the Go runtime gives up, cginit ends as abruptly as by SIGKILL. Its guardian kills the job,
	// and Wait has waited for that.
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
