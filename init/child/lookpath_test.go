package child

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cginit/cginit/init/status"
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
		{"text", both, "", status.NotExecutable},
		{"nothing", both, "", status.NotFound},
		{"a", dir, "", status.NotFound}, // a directory is not a command
		{first, "", first, 0},
		{plain, both, "", status.NotExecutable},
		{onlyPlain, both, "", status.NotExecutable},
		{dir, both, "", status.NotExecutable},
		{dir + "/none", both, "", status.NotFound},
		{first + "/x", both, "", status.NotFound},
	} {
		got, err := LookPath(c.name, env(c.path))
		if err != nil && ExitStatus(err) != c.status || err == nil && got != c.want {
			t.Errorf("%s in %s: %q, %v (status %d); want %q, status %d", c.name, c.path, got, err, ExitStatus(err), c.want, c.status)
		}
	}
	if got, err := LookPath("sh", nil); err != nil || got != "/usr/bin/sh" && got != "/bin/sh" {
		t.Errorf("without a PATH, sh is %q, %v", got, err)
	}
}
