package vm

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
)

// BenchmarkVM measures what bench/README.md shows of another architecture. The emulation is slow, so that only
// ratios, counts and memory mean something.
func BenchmarkVM(b *testing.B) {
	m, dir := chosen(b), b.TempDir()
	cmd := exec.Command("make", "-s", "bench-build", "BIN="+dir+"/")
	cmd.Dir, cmd.Env = harness.Root(), m.environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("cannot build the benchmark: %v\n%s", err, out)
	}
	programs := map[string]string{"bin/cginit": filepath.Join(dir, "cginit")}
	for _, name := range []string{"bench", "floor", "cgroups", "sleeper"} {
		programs["bin/bench/"+name] = filepath.Join(dir, "bench", name)
	}
	// With always, which Debian's kernels have, a heap takes memory in steps of 2 MB.
	console, results := boot(b, m, programs, "bench=startup,memory,size", "transparent_hugepage=madvise")
	if !strings.Contains(results, "### ") {
		b.Fatalf("it has measured nothing; the console:\n%s", console)
	}
	fmt.Println(results) // a benchmark's log is cut short
}
