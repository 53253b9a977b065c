package hold

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
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

// TestRaisedOOMScore checks the score that a child is to set.
func TestRaisedOOMScore(t *testing.T) {
	data, err := os.ReadFile("/proc/self/oom_score_adj")
	if err != nil {
		t.Fatal(err)
	}
	ours, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	for by, want := range map[int]int{7: min(ours+7, 1000), 3000: 1000} {
		if got := raisedOOMScore(by); got != strconv.Itoa(want) {
			t.Errorf("%d more than %d is %s, want %d", by, ours, got, want)
		}
	}
}
