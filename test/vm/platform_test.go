package vm

import (
	"os/exec"
	"path"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
)

func init() {
	checks["early"] = early
	checks["units"] = unitsPass
}

// early checks that a signal ends process 1 with its status at any moment of the start. A signal that comes
// before the kernel has executed our first instruction is lost, with any process 1.
func early(t checker, r result) {
	t.Logf("statuses %s", r.Facts["statuses"])
	t.fact(r, "others", "0")
	t.that(len(r.Facts["lost"]) == 1, "%s of 40 signals were lost", r.Facts["lost"])
}

// units are the packages that know how the kernel of this architecture is called. Their tests run in the VM.
var units = []string{"internal/catch", "internal/threads", "init/spawn", "init/hold", "init/proc", "cgroup"}

// buildUnits builds their tests and returns them, by their path in the VM.
func buildUnits(t *testing.T, m machine) map[string]string {
	dir, built := t.TempDir()+"/", map[string]string{}
	args := []string{"test", "-c", "-ldflags=-s -w", "-o", dir}
	for _, p := range units {
		args = append(args, "./"+p)
		name := path.Base(p) + ".test"
		built["bin/units/"+name] = dir + name
	}
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = harness.Root(), m.environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cannot build the tests: %v\n%s", err, out)
	}
	return built
}

func unitsPass(t checker, r result) {
	for name, said := range r.Facts {
		t.that(strings.HasSuffix(said, "PASS\n"), "%s: %s", name, said)
		t.Logf("%s: %d passed, %d skipped", name, strings.Count(said, "--- PASS"), strings.Count(said, "--- SKIP"))
	}
	t.that(len(r.Facts) == len(units), "%d of %d packages", len(r.Facts), len(units))
}
