package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTail(t *testing.T) {
	file := filepath.Join(t.TempDir(), "trace")
	if got := tail(file); got != nil {
		t.Errorf("of no file: %q", got)
	}
	for _, lines := range []int{0, 1, tracedLines, tracedLines + 1, 100 * tracedLines} {
		var text strings.Builder
		for i := range lines {
			fmt.Fprintf(&text, "event %d of %s\n", i, strings.Repeat("x", 50))
		}
		if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		got := string(tail(file))
		if !strings.HasSuffix(text.String(), got) || strings.Count(got, "\n") != min(lines, tracedLines) {
			t.Errorf("of %d lines: %q", lines, got)
		}
	}
}
