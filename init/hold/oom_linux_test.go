package hold

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cginit/cginit/cgroup"
)

func TestOOMMore(t *testing.T) {
	dir := t.TempDir()
	for limit, want := range map[string]int{
		"33554432\n":  510,  // 32 MiB
		"536870912\n": 41,   // 512 MiB
		"1048576\n":   1000, // less than we need ourselves
	} {
		if err := os.WriteFile(filepath.Join(dir, "memory.max"), []byte(limit), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := oomMore(cgroup.Dir(dir)); got != want {
			t.Errorf("memory.max %q: %d, want %d", limit, got, want)
		}
	}
	for _, none := range []string{"max\n", "0\n", ""} {
		if err := os.WriteFile(filepath.Join(dir, "memory.max"), []byte(none), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := oomMore(cgroup.Dir(dir)); got < 10 || got > 100 {
			t.Errorf("memory.max %q: %d", none, got)
		}
	}
}

// TestRaiseOOMScore checks that our score is put back, so that only the child has the higher one.
func TestRaiseOOMScore(t *testing.T) {
	read := func() string {
		data, err := os.ReadFile("/proc/self/oom_score_adj")
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	before := read()
	restore := raiseOOMScore(7)
	during := read()
	restore()
	if during == before || read() != before {
		t.Errorf("%q, then %q, then %q", before, during, read())
	}
}
