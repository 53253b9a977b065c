package supervisor

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestLookPath(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, mode os.FileMode) string {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
		return file
	}
	first, second := write("a/prog", 0o755), write("b/prog", 0o755)
	plain := write("a/plain", 0o644)
	later := write("b/plain", 0o755)
	onlyPlain := write("a/text", 0o644)
	env := func(path string) []string { return []string{"PATH=/nowhere", "PATH=" + path} }
	both := dir + "/a:" + dir + "/b"

	for _, c := range []struct {
		name, path, want string
		status           int
	}{
		{"prog", both, first, 0},
		{"prog", dir + "/b:" + dir + "/a", second, 0},
		{"plain", both, later, 0}, // execvp goes on after EACCES
		{"text", both, "", StatusNotExecutable},
		{"nothing", both, "", StatusNotFound},
		{"a", dir, "", StatusNotFound}, // a directory is no command
		{first, "", first, 0},
		{plain, both, "", StatusNotExecutable},
		{onlyPlain, both, "", StatusNotExecutable},
		{dir, both, "", StatusNotExecutable},
		{dir + "/none", both, "", StatusNotFound},
		{first + "/x", both, "", StatusNotFound},
	} {
		got, err := lookPath(c.name, env(c.path))
		if err != nil && startStatus(err) != c.status || err == nil && got != c.want {
			t.Errorf("%s in %s: %q, %v (status %d); want %q, status %d", c.name, c.path, got, err, startStatus(err), c.want, c.status)
		}
	}
	if got, err := lookPath("sh", nil); err != nil || got != "/usr/bin/sh" && got != "/bin/sh" {
		t.Errorf("without a PATH, sh is %q, %v", got, err)
	}
}

// TestSignalTable: every signal is either caught or has a reason why not.
func TestSignalTable(t *testing.T) {
	caught := append([]os.Signal{syscall.SIGTERM, syscall.SIGINT}, append(unusual(), usual...)...)
	for sig := syscall.Signal(1); sig <= lastSignal; sig++ {
		n := 0
		for _, c := range caught {
			if c == os.Signal(sig) {
				n++
			}
		}
		if reason := notForwarded[sig]; (n == 1) != (reason == "") || n > 1 { // all but these are caught once
			t.Errorf("signal %d is caught %d times; not forwarded because %q", sig, n, reason)
		}
	}
}
