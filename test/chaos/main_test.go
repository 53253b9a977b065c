// Package chaos makes things that cginit depends on fail: system calls, limits, its guardian, the
// readers of its output. cginit must not hang, leave anything behind, or end unless it was asked to.
package chaos

import (
	"os"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

func TestMain(m *testing.M) { os.Exit(pod.Main(m)) }

// inModes runs a test in every mode.
func inModes(t *testing.T, test func(t *testing.T, mode pod.Mode)) {
	for _, mode := range pod.Modes {
		t.Run(string(mode), func(t *testing.T) { test(t, mode) })
	}
}

// ends fails the test unless the run ended with that code and left nothing behind.
func ends(t *testing.T, p *pod.Pod, code int) *pod.Result {
	t.Helper()
	r := p.Wait()
	if r.Code != code || r.Signal != 0 {
		t.Errorf("cginit ended with %d (signal %d), not %d; stderr: %s", r.Code, r.Signal, code, r.Stderr)
	}
	if err := r.Clean(); err != nil {
		t.Error(err)
	}
	return r
}

func trees(t *testing.T, args ...string) []string {
	return append([]string{"--", harness.Bin(t, "trees")}, args...)
}
