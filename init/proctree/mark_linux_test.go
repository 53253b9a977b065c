package proctree

import (
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/cginit/cginit/init/proc"
	"golang.org/x/sys/unix"
)

// TestSweepMarked checks that only marked processes are found, also without the children files of the kernel, and that
// a mark that nobody has finds none.
func TestSweepMarked(t *testing.T) {
	const nobody = 1<<22 - 2
	for _, hasChildren := range []bool{true, false} {
		w, err := newWalker()
		if err != nil {
			t.Fatal(err)
		}
		w.HasChildren = w.HasChildren && hasChildren
		if w.mark = markOf(nobody); w.walk(0, 0) != 0 || len(w.queue) != 0 {
			t.Errorf("children files %v: without a mark there are %v", hasChildren, w.queue)
		}
		w.Close()
	}
	var before unix.Rlimit
	if err := unix.Prlimit(0, unix.RLIMIT_LOCKS, nil, &before); err != nil {
		t.Fatal(err)
	}
	if err := proc.SetMark(markOf(nobody)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", "sleep 100 & echo; wait")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	_ = unix.Prlimit(0, unix.RLIMIT_LOCKS, &before, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if !IsMarked(cmd.Process.Pid, nobody) || IsMarked(os.Getpid(), nobody) || IsMarked(cmd.Process.Pid, nobody-1) {
		t.Error("the mark is not told")
	}
	found, err := SweepMarked(0, nobody)
	if err != nil || len(found) != 2 || !slices.Contains(found, cmd.Process.Pid) {
		t.Errorf("marked are %v, %v", found, err)
	}
	if _, err := SweepMarked(unix.SIGKILL, nobody); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait()
	until(t, "nothing is marked", func() bool {
		left, err := SweepMarked(0, nobody)
		return err == nil && len(left) == 0
	})
}
