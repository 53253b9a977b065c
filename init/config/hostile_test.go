package config

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestHostile: a file of the largest size that is made to grow costs no more than a few
// hundred megabytes in passing, and ends.
func TestHostile(t *testing.T) {
	fill := func(head, piece string) string { return head + strings.Repeat(piece, (maxFile-len(head))/len(piece)) }
	numbered := func(head, format string) string {
		var b strings.Builder
		b.WriteString(head)
		for i := 0; b.Len() < maxFile-100; i++ {
			fmt.Fprintf(&b, format, i, i)
		}
		return b.String()
	}
	files := map[string]string{
		"one long text":           fill("services: {web: {command: x, user: ", "a") + "}}",
		"a long command":          fill("services:\n  web:\n    command: \"", "a ") + "\"",
		"merged lists":            fill("services:\n  web:\n    cap_add:\n", "    - a\n"),
		"merged lists of nothing": fill("services:\n  web:\n    pre_start:\n", "    - {}\n"),
		"the same key":            fill("services:\n", "  a: {}\n"),
		"merged services":         numbered("services:\n", "  s%d: {command: x, depends_on: [s%d]}\n"),
		"many variables":          numbered("services:\n  web:\n    command: x\n    environment:\n", "    - A%d=%d\n"),
		"a chain":                 numbered("services:\n  s: {command: x}\n", "  ss%d: {command: x, depends_on: [s%d]}\n"),
		"merge keys":              numbered("x-a: &a0 {a: 1}\n", "x-b%d: {<<: *a0, b%d: 1}\n"),
		"variables":               fill("services: {web: {command: x, user: \"", "$LONG") + "\"}}",
		"variables in many":       fill("services:\n  web:\n    command:\n", "    - $LONG\n"),
		"texts by alias":          fill("x: &a "+strings.Repeat("a", 10_000)+"\nservices:\n  web:\n    command:\n", "    - *a\n"),
		"comments":                fill("", "# a\n"),
		"open brackets":           fill("", "["),
		"open braces":             fill("", "{a: "),
		"question marks":          fill("", "? "),
		"dashes":                  fill("", "- "),
		"anchors":                 numbered("", "x%d: &a%d {}\n"),
		"quotes":                  fill("a: \"", "\\"),
		"blank":                   fill("a:", " "),
		"replicas":                "services: {a: {command: x, scale: 10000, depends_on: [b]}, b: {command: x, scale: 10000}}",
		"replicas with files":     replicas("scale: 100, env_file: long.env"),
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "long.env"), []byte("A="+strings.Repeat("x", maxFile-10)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		t.Run(name, func(t *testing.T) {
			paths := []string{filepath.Join(dir, "a.yaml"), filepath.Join(dir, "b.yaml")}
			for _, path := range paths {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if !strings.HasPrefix(name, "merged") {
				paths = paths[:1]
			}
			_, err := Load(paths, []string{"LONG=" + strings.Repeat("x", 100_000)}, nil)
			if err != nil && strings.Count(err.Error(), "\n") > maxProblems {
				t.Errorf("%d lines of problems", strings.Count(err.Error(), "\n"))
			}
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 1<<30 {
				t.Errorf("%d MiB were allocated", used>>20)
			}
		})
	}
}

// replicas are two hundred services with these keys.
func replicas(keys string) string {
	var b strings.Builder
	b.WriteString("services:\n")
	for i := range 200 {
		fmt.Fprintf(&b, "  s%d: {command: x, %s}\n", i, keys)
	}
	return b.String()
}
