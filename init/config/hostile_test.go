package config

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// maxAllocated is what the loading of one hostile file may allocate in all, in bytes.
const maxAllocated = 1 << 29

// TestHostile loads files that are made to grow: each must be taken or refused without more than
// maxAllocated. The largest file that is read is not always the worst, since some bounds refuse it
// early, so there are smaller sizes too. Under the race detector, which makes the large ones take
// twenty seconds and finds no second goroutine here, only the small ones are loaded.
func TestHostile(t *testing.T) {
	sizes := map[string]int{"small": maxFile / 256, "middle": maxFile / 16, "large": maxFile}
	if raceDetector {
		sizes = map[string]int{"small": maxFile / 256}
	}
	for size, bytes := range sizes {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "long.env"), []byte("A="+strings.Repeat("x", bytes-10)),
			0o600); err != nil {
			t.Fatal(err)
		}
		for name, text := range hostileFiles(bytes) {
			t.Run(name+"/"+size, func(t *testing.T) { loadHostile(t, dir, text, strings.HasPrefix(name, "merged")) })
		}
	}
}

// hostileFiles returns files of at most size bytes by what they have too much of.
func hostileFiles(size int) map[string]string {
	fill := func(head, piece string) string {
		return head + strings.Repeat(piece, max(0, size-len(head))/len(piece))
	}
	numbered := func(head, format string) string {
		var b strings.Builder
		b.WriteString(head)
		for i := 0; b.Len() < size-100; i++ {
			fmt.Fprintf(&b, format, i, i)
		}
		return b.String()
	}
	return map[string]string{
		"one long text":           fill("services: {web: {command: x, user: ", "a") + "}}",
		"a long command":          fill("services:\n  web:\n    command: \"", "a ") + "\"",
		"merged lists":            fill("services:\n  web:\n    cap_add:\n", "    - a\n"),
		"merged lists of nothing": fill("services:\n  web:\n    pre_start:\n", "    - {}\n"),
		"steps":                   fill("services:\n  web:\n    command: x\n    pre_start:\n", "    - {command: x}\n"),
		"steps with variables": fill("services:\n  web:\n    command: x\n    pre_start:\n",
			"    - {command: x, environment: [A=1]}\n"),
		"the same key":    fill("services:\n", "  a: {}\n"),
		"merged services": numbered("services:\n", "  s%d: {command: x, depends_on: [s%d]}\n"),
		"many variables":  numbered("services:\n  web:\n    command: x\n    environment:\n", "    - A%d=%d\n"),
		"a chain": numbered("services:\n  s: {command: x}\n",
			"  ss%d: {command: x, depends_on: [s%d]}\n"),
		"merge keys":        numbered("x-a: &a0 {a: 1}\n", "x-b%d: {<<: *a0, b%d: 1}\n"),
		"variables":         fill("services: {web: {command: x, user: \"", "$LONG") + "\"}}",
		"variables in many": fill("services:\n  web:\n    command:\n", "    - $LONG\n"),
		"texts by alias": fill("x: &a "+strings.Repeat("a", 10_000)+"\nservices:\n  web:\n    command:\n",
			"    - *a\n"),
		"comments":       fill("", "# a\n"),
		"open brackets":  fill("", "["),
		"open braces":    fill("", "{a: "),
		"question marks": fill("", "? "),
		"dashes":         fill("", "- "),
		"anchors":        numbered("", "x%d: &a%d {}\n"),
		"quotes":         fill("a: \"", "\\"),
		"blank":          fill("a:", " "),
		"replicas": "services: {a: {command: x, scale: 10000, depends_on: [b]}, b: {command: x, scale: " +
			"10000}}",
		"replicas with files": replicas("scale: 100, env_file: long.env"),
	}
}

// loadHostile loads the text as a file of dir, and once more as a second file if it is to be merged.
func loadHostile(t *testing.T, dir, text string, merged bool) {
	paths := []string{filepath.Join(dir, "a.yaml"), filepath.Join(dir, "b.yaml")}
	for _, path := range paths {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if !merged {
		paths = paths[:1]
	}
	env := []string{"LONG=" + strings.Repeat("x", 100_000)}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Load(paths, env, nil)
	runtime.ReadMemStats(&after)
	if err != nil && strings.Count(err.Error(), "\n") > maxProblems {
		t.Errorf("%d lines of problems", strings.Count(err.Error(), "\n"))
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > maxAllocated {
		t.Errorf("%d MiB were allocated", used>>20)
	}
}

// replicas returns a file with two hundred services, each with these keys.
func replicas(keys string) string {
	var b strings.Builder
	b.WriteString("services:\n")
	for i := range 200 {
		fmt.Fprintf(&b, "  s%d: {command: x, %s}\n", i, keys)
	}
	return b.String()
}
