package matrix

import (
	"strings"
	"syscall"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// killing is a run in which processes have to be killed. Reasons maps the first word of a command line
// to the reasons that the receipt must give for that process.
type killing struct {
	args    []string
	stop    bool // by SIGTERM; otherwise the main process exits
	reasons map[string]string
}

// TestReasons checks that the receipt says of each killed process why it was still there.
func TestReasons(t *testing.T) {
	trees := harness.Bin(t, "trees")
	tree := func(kind, reasons string) killing {
		args := []string{"--leftovers", "kill", "--", trees, kind, "5", "--marker", marker, "--exit", "0"}
		return killing{args: args, reasons: map[string]string{trees: reasons}}
	}
	shell := func(script string, reasons map[string]string) killing {
		return killing{[]string{"--stop-grace-period", "1s", "--", "bash", "-c", script}, true, reasons}
	}
	for name, k := range map[string]killing{
		"orphaned":   tree("plain", "was not asked, orphaned"),
		"daemonised": tree("daemon", "was not asked, daemonised"),
		"stopped":    tree("stopped", "was not asked, stopped, orphaned"),
		"deaf": shell(`trap "" TERM; echo ready; while :; do read -t 1000; done`,
			map[string]string{"bash": "ignored SIGTERM"}),
		"heedless": shell(`trap "echo no" TERM; echo ready; while :; do read -t 1000; done`,
			map[string]string{"bash": "caught SIGTERM and went on"}),
		"own session": shell(`trap "" TERM; setsid sleep 1000 & until [[ $(ps -o sid= $!) -eq $! ]]; do :; done; echo ready; wait`,
			map[string]string{"bash": "ignored SIGTERM", "sleep": "ignored SIGTERM, own session"}),
	} {
		t.Run(name, func(t *testing.T) {
			for _, mode := range pod.Modes {
				if name == "stopped" && mode == pod.NoCgroup {
					continue // cginit itself stops all processes there to list them
				}
				t.Run(string(mode), func(t *testing.T) { k.run(t, mode) })
			}
		})
	}
}

func (k killing) run(t *testing.T, mode pod.Mode) {
	p := pod.Start(t, pod.Spec{Mode: mode, Args: k.args})
	p.Line("ready")
	if k.stop {
		p.Signal(syscall.SIGTERM)
	} else {
		p.EndInput()
	}
	receipt := ended(t, p)
	named := map[string]bool{}
	for _, q := range receipt.Processes {
		program, _, _ := strings.Cut(q.Command, " ")
		named[program] = true
		if got := strings.Join(q.Reasons, ", "); got != k.reasons[program] {
			t.Errorf("the receipt says that %d %q was killed because: %q", q.Pid, q.Command, got)
		}
	}
	if len(named) != len(k.reasons) {
		t.Errorf("the receipt lists these programs as killed: %v", named)
	}
}

// ended waits for the end, checks that nothing is left, and returns the receipt.
func ended(t *testing.T, p *pod.Pod) pod.Receipt {
	t.Helper()
	r := p.Wait()
	receipt, err := r.Receipt()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Clean(); err != nil {
		t.Error(err)
	}
	return receipt
}
