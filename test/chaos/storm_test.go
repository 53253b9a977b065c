package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// TestOrphans makes orphans as fast as one process can. cginit must reap them all, and forward a signal
// meanwhile.
func TestOrphans(t *testing.T) {
	inModes(t, func(t *testing.T, mode pod.Mode) {
		p := pod.Start(t, pod.Spec{Mode: mode, Args: []string{"--", "sh", "-c", `
			trap 'echo forwarded' USR1
			"$0" orphans 20000 --exit 0 &
			until wait $!; do :; done
			cat`, harness.Bin(t, "trees")}})
		p.Line("half")
		p.Signal(syscall.SIGUSR1)
		heard := false
		// "ready" comes when the last orphan has been born.
		for line := ""; line != "ready"; heard = heard || line == "forwarded" {
			line = p.Line("")
		}
		if !heard {
			t.Error("the signal was not forwarded before the last orphan was born")
		}
		delay := func() time.Duration { return runDelay(t, p.Pid) + runDelay(t, os.Getpid()) }
		begun, waited := time.Now(), delay()
		pod.Until(t, "the last orphan is reaped", func() bool { return p.Zombies() == 0 })
		// Subtract the time for which cginit and this test waited for a processor: cginit is not slow
		// then.
		if took := time.Since(begun) - (delay() - waited); took > 100*time.Millisecond {
			t.Errorf("there were zombies for %s after the last orphan", took)
		}
		p.EndInput()
		ends(t, p, 0)
	})
}

// runDelay returns how long the threads of a process have been ready to run without running, in sum.
func runDelay(t *testing.T, pid int) (sum time.Duration) {
	t.Helper()
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		if f := strings.Fields(string(text)); len(f) == 3 {
			ns, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			sum += time.Duration(ns)
		}
	}
	return sum
}

// TestBomb ends a fork bomb that forks as fast as it can.
func TestBomb(t *testing.T) {
	inModes(t, func(t *testing.T, mode pod.Mode) {
		args := trees(t, "bomb", "32")
		p := pod.Start(t, pod.Spec{Mode: mode, Args: append([]string{"--stop-grace-period", "1s"}, args...)})
		p.Line("ready")
		p.Signal(syscall.SIGTERM)
		ends(t, p, 128+15)
	})
}
