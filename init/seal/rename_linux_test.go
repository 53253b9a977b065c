package seal

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// TestMoves checks that a sealed thread can move and link files from one directory to another.
func TestMoves(t *testing.T) {
	if version, err := Version(); err != nil || version < refers {
		t.Skipf("SKIPPED for want of Landlock with renames: version %d, %v", version, err)
	}
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	for _, d := range []string{from, to} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(from+"/a", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	moved := make(chan error)
	go func() {
		runtime.LockOSThread() // the sealed thread ends with the goroutine
		if err := Apply(true); err != nil {
			moved <- err
			return
		}
		moved <- errors.Join(os.Link(from+"/a", to+"/b"), os.Rename(from+"/a", to+"/a"))
	}()
	if err := <-moved; err != nil {
		t.Error(err)
	}
}
