package contract

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
)

// TestPriorityIsOurs checks that commands do not inherit the priority that cginit takes for itself, and that
// they do inherit the one that it was started with.
func TestPriorityIsOurs(t *testing.T) {
	harness.AsRoot(t)
	// The numbers are the niceness, the real-time priority and the policy; see proc_pid_stat(5).
	const script = `read -r stat < /proc/self/stat; set -- $${stat##*) }; echo "it has $${17} $${38} $${39}"`
	file := filepath.Join(t.TempDir(), "cginit.yaml")
	b := &box{t: t, file: file}
	b.write(`
jobs:
	first: {command: ` + sh(script) + `}
	second: {command: ` + sh(script) + `, depends_on: {first: {condition: service_completed_successfully}}}
	helped: {command: ` + sh(script) + `, umask: "077", ulimits: {core: 0}, depends_on: {first: {condition: service_completed_successfully}}}
`)
	cginit := []string{harness.Bin(t, "cginit"), "--socket", "none", "--config", file}
	for _, c := range []struct {
		name   string
		prefix []string
		want   string
	}{
		{"as usual", nil, "it has 0 0 0"},
		{"nice", []string{"nice", "-n", "5"}, "it has 5 0 0"},
		{"batch", []string{"chrt", "--batch", "0"}, "it has 0 0 3"},
		{"without cgroup", []string{"unshare", "--mount", "sh", "-c", `umount --recursive --lazy /sys/fs/cgroup; exec "$@"`, "sh"}, "it has 0 0 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			argv := slices.Concat(c.prefix, cginit)
			if len(c.prefix) > 0 {
				argv[0] = harness.Command(t, c.prefix[0])
			}
			out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
			if n := strings.Count(string(out), c.want+"\n"); err != nil || n != 3 {
				t.Errorf("%v, %d lines of 3 say %q: %s", err, n, c.want, out)
			}
		})
	}
}
