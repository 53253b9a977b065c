package proc

import (
	"os"
	"os/exec"
	"slices"
	"testing"
)

// TestWaysToRead: the list of Scan gives the same as the children files, and neither allocates.
func TestWaysToRead(t *testing.T) {
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	r := &Reader{}
	r.Open()
	defer r.Close()
	if !r.HasProc || !r.HasChildren {
		report := t.Skipf
		if os.Getenv("CI") != "" {
			report = t.Fatalf
		}
		report("SKIPPED for want of /proc (%v) with children files (%v)", r.HasProc, r.HasChildren)
	}
	want := Child{Pid: int32(cmd.Process.Pid), Parent: int32(os.Getpid())}
	for _, children := range []bool{true, false} {
		r.HasChildren = children
		var queue []Child
		walk := func() {
			r.Scan()
			queue = r.Children(queue[:0], os.Getpid(), 0)
			_, _ = r.Stat(cmd.Process.Pid)
		}
		if n := testing.AllocsPerRun(10, walk); n != 0 {
			t.Errorf("children files %v: it allocates %v times", children, n)
		}
		if !slices.Contains(queue, want) {
			t.Errorf("children files %v: %v does not contain %v", children, queue, want)
		}
	}
}

func TestReaderWithoutProc(t *testing.T) {
	r := &Reader{}
	r.Scan()
	if p, ok := r.Stat(os.Getpid()); ok {
		t.Errorf("a reader that is not open gave %+v", p)
	}
	if queue := r.Children(nil, os.Getpid(), 0); queue != nil {
		t.Errorf("a reader that is not open gave %v", queue)
	}
}

func TestOwnThreads(t *testing.T) {
	if !slices.Contains(slices.Collect(OwnThreads), os.Getpid()) {
		t.Error("the first thread of this process is not among its threads")
	}
}
