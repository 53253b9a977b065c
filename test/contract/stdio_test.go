package contract

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
)

// TestUsersOpenOutput checks that a command that runs as another user can open /dev/stdout and
// /dev/stderr, as it can under docker run --user.
func TestUsersOpenOutput(t *testing.T) {
	harness.AsRoot(t)
	const script = "echo by name > /dev/stdout; echo by name > /dev/stderr"
	file := filepath.Join(t.TempDir(), "cginit.yaml")
	b := &box{t: t, file: file}
	b.write(`
jobs:
	first: {command: ` + sh(script) + `, user: "54501"}
	second: {command: ` + sh(script) + `, user: "54502", depends_on: {first: {condition: service_completed_successfully}}}
`)
	for name, c := range map[string]struct {
		args  []string
		times int
	}{
		"one command":            {[]string{"--user", "54501", "--", "sh", "-c", script}, 2},
		"two jobs with two uids": {[]string{"--socket", "none", "--config", file}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := exec.Command(harness.Bin(t, "cginit"), c.args...).CombinedOutput()
			if n := strings.Count(string(out), "by name\n"); err != nil || n != c.times {
				t.Errorf("%v, %d lines of %d: %s", err, n, c.times, out)
			}
		})
	}
}
