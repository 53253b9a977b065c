package proctree

import (
	"os"
	"slices"
	"testing"
)

// TestWaysToWalk: a walk by the list of all processes finds the same as one by the children files.
func TestWaysToWalk(t *testing.T) {
	h := tree(t, "chain", "30")
	want := Below(h.Pid)
	if len(want) != 31 {
		t.Errorf("the holder has %d descendants, and not 31", len(want))
	}
	w, err := newWalker()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if !w.HasChildren {
		missing(t, "a kernel with CONFIG_PROC_CHILDREN")
	}
	w.HasChildren = false
	if got := pidsBelow(w, h.Pid); !slices.Equal(got, want) {
		t.Errorf("by stat %v, by children %v", got, want)
	}
	w.HasProc = false // without /proc a walk finds only our own children
	got := pidsBelow(w, os.Getpid())
	if !slices.Contains(got, h.Pid) || slices.Contains(got, h.Main) {
		t.Errorf("by waitid %v; the holder is %d, and its child, which is not ours, is %d", got, h.Pid, h.Main)
	}
	_ = h.Kill()
	h.gone()
}

// pidsBelow returns the pids that a walk finds.
func pidsBelow(w *walker, root int) (pids []int) {
	w.walk(root, 0)
	for _, c := range w.queue {
		pids = append(pids, int(c.Pid))
	}
	return pids
}

// TestWalkAllocatesNothing: a holder walks with its garbage collector off.
func TestWalkAllocatesNothing(t *testing.T) {
	h := tree(t, "chain", "30")
	w, err := newWalker()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, children := range []bool{true, false} {
		w.HasChildren = children
		w.walk(h.Pid, 0)
		if n := testing.AllocsPerRun(10, func() { w.walk(h.Pid, 0) }); n != 0 {
			t.Errorf("children files %v: a walk allocates %v times", children, n)
		}
	}
	_ = h.Kill()
	h.gone()
}
