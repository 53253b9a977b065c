// Package harm reads what the program test/hostile says: how often it has tried each way to do harm, and how often
// the kernel has refused it.
package harm

import (
	"encoding/json"
	"strings"
	"testing"
)

// way is a line of test/hostile.
type way struct {
	Name           string
	Tried, Refused int
	Not            []string
}

// Always are the ways that are tried wherever there are other processes.
var Always = []string{"signals", "signals through a pidfd", "ptrace", "memory and descriptors of others", "mount", "clone3"}

// WithCgroups are those that are tried where cgroup2 is mounted.
var WithCgroups = []string{"files of cgroups", "detached mounts"}

// Judge fails the test for each way that was not refused, and for each of must that was not tried. Other lines are
// those of other programs.
func Judge(t testing.TB, lines []string, must ...string) {
	t.Helper()
	tried := map[string]int{}
	for _, line := range lines {
		if strings.HasPrefix(line, "not sealed") {
			t.Error(line)
		}
		var w way
		if json.Unmarshal([]byte(line), &w) != nil || w.Name == "" {
			continue
		}
		tried[w.Name] += w.Tried
		if w.Tried != w.Refused || len(w.Not) > 0 {
			t.Errorf("%s: %d tried, %d refused, not %q", w.Name, w.Tried, w.Refused, w.Not)
		}
	}
	for _, name := range must {
		if tried[name] == 0 {
			t.Errorf("nothing was tried: %s", name)
		}
	}
	t.Logf("tried: %v", tried)
}
