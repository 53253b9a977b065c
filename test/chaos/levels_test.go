package chaos

import (
	"strings"
	"syscall"
	"testing"

	"github.com/cginit/cginit/test/internal/pod"
)

// TestNoMount runs cginit in a container without any cgroup mount.
func TestNoMount(t *testing.T) {
	p := pod.Start(t, pod.Spec{Mode: pod.NoCgroup, Bare: true, Args: trees(t, "daemon", "10", "--exit", "3")})
	p.Line("ready")
	p.EndInput()
	level(t, ends(t, p, 3), "pidns")
}

// TestTree runs cginit where it is not process 1 and may not make a cgroup.
func TestTree(t *testing.T) {
	for _, kind := range []string{"plain", "setsid", "daemon", "chain", "stopped", "deaf", "bomb"} {
		t.Run(kind, func(t *testing.T) {
			grace := []string{"--stop-grace-period", "200ms"}
			start := func(t *testing.T, args ...string) *pod.Pod {
				args = append(grace, trees(t, append([]string{kind, "20"}, args...)...)...)
				p := pod.Start(t, pod.Spec{Mode: pod.Subreaper, UID: 54321, Args: args})
				p.Line("ready")
				return p
			}
			t.Run("exits", func(t *testing.T) {
				p := start(t, "--exit", "3")
				p.EndInput()
				level(t, ends(t, p, 3), "tree")
			})
			t.Run("TERM", func(t *testing.T) {
				p := start(t)
				p.Signal(syscall.SIGTERM)
				code := 128 + 15
				if kind == "deaf" {
					code = 128 + 9
				}
				level(t, ends(t, p, code), "tree")
			})
		})
	}
}

// level checks that the log at the start names the containment, and that the receipt has it with its
// guarantee.
func level(t *testing.T, r *pod.Result, want string) {
	t.Helper()
	receipt, err := r.Receipt()
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(r.Stderr, "\n")
	if receipt.Containment != want || receipt.Guarantee == "" || !strings.Contains(first, "(containment "+want+")") {
		t.Errorf("want containment %s, got %s with guarantee %q; stderr: %s", want, receipt.Containment, receipt.Guarantee, r.Stderr)
	}
}
