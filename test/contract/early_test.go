package contract

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

// TestSignalAtTheStart sends process 1 a signal at a random moment of its first 6 ms. Whatever it does by
// then, the status is that of the signal. A signal that comes before the kernel has executed our first
// instruction is lost, with any process 1. CGINIT_RUNS is how often each signal is sent; tini is measured
// beside, if it is installed.
func TestSignalAtTheStart(t *testing.T) {
	harness.AsRoot(t)
	runs, err := strconv.Atoi(os.Getenv("CGINIT_RUNS"))
	if err != nil {
		runs = 20
	}
	cginit := harness.Bin(t, "cginit")
	for _, sig := range []syscall.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP} {
		t.Run(unix.SignalName(sig), func(t *testing.T) {
			ours := signalled(t, runs, sig, cginit)
			if n := ours[128+int(sig)] + ours[lost]; n != runs || ours[lost] > runs/4 {
				t.Errorf("statuses %v of %d runs, %d for lost", ours, runs, lost)
			}
			if tini, err := exec.LookPath("tini"); err == nil {
				t.Logf("cginit %v, tini %v", ours, signalled(t, runs, sig, tini))
			}
		})
	}
}

// lost counts the runs in which the signal was lost.
const lost = -1

// signalled starts an init as process 1 again and again, and returns how often each status came.
func signalled(t *testing.T, runs int, sig syscall.Signal, init string) map[int]int {
	t.Helper()
	statuses := map[int]int{}
	for range runs {
		cmd := exec.Command(harness.Command(t, "unshare"), "--pid", "--fork", "--kill-child", "--mount-proc", init, "--", "sleep", "1000")
		check(t, cmd.Start())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		pid := executed(t, cmd.Process.Pid, init)
		<-time.After(rand.N(6 * time.Millisecond))
		_ = unix.Kill(pid, sig) // it may be over, in a run of tini
		select {
		case err := <-ended:
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				statuses[exit.ExitCode()]++
			} else {
				statuses[0]++
			}
		case <-time.After(3 * time.Second):
			statuses[lost]++
			check(t, cmd.Process.Kill())
			<-ended
		}
	}
	return statuses
}

// executed waits until the child of a process executes a program, and returns its pid.
func executed(t *testing.T, parent int, program string) (child int) {
	t.Helper()
	program, err := filepath.EvalSymlinks(program)
	check(t, err)
	children := fmt.Sprintf("/proc/%d/task/%d/children", parent, parent)
	for late := time.After(pod.Patience); ; {
		select {
		case <-late:
			t.Fatalf("%s does not begin", program)
		default:
		}
		text, _ := os.ReadFile(children)
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			continue
		}
		if exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); exe == program {
			return pid
		}
	}
}
