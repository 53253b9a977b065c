package proctree

import (
	"os"
	"slices"
	"testing"
)

func TestParseStat(t *testing.T) {
	rest := " 7 7 0 -1 4194304 92 0 0 0 0 0 0 0 20 0 3 0 100 0 0"
	for name, in := range map[string]string{
		"plain":       "5 (sh) S 4" + rest,
		"parentheses": "5 (a) Z 1 (b) R 2)) S 4" + rest,
		"newline":     "5 (a\n) S 9\n) S 4" + rest,
		"empty":       "5 () S 4" + rest,
	} {
		if s, ok := parseStat([]byte(in)); !ok || s != (stat{state: 'S', parent: 4, threads: 3}) {
			t.Errorf("%s: %+v, %v", name, s, ok)
		}
	}
	for _, in := range []string{"", "5", "5 (sh", "5 (sh)", "5 (sh) S", "5 (sh) S 4", "5 (sh) S 4 7 7"} {
		if s, ok := parseStat([]byte(in)); ok {
			t.Errorf("%q: %+v", in, s)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("5 (a) b) S 4 7 7 0 -1 4194304 92 0 0 0 0 0 0 0 20 0 1 0 100"))
	f.Fuzz(func(_ *testing.T, b []byte) {
		parseStat(b)
		for range numbers(b) {
			break
		}
	})
}

// TestWaysToWalk: what stands in for the children files finds the same.
func TestWaysToWalk(t *testing.T) {
	h := tree(t, "chain", "30")
	want := Below(h.Pid)
	if len(want) != 31 {
		t.Errorf("below the holder are %d", len(want))
	}
	w, err := newWalker()
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	if !w.children {
		missing(t, "a kernel with CONFIG_PROC_CHILDREN")
	}
	w.children = false
	if got := w.below(h.Pid); !slices.Equal(got, want) {
		t.Errorf("by stat %v, by children %v", got, want)
	}
	w.proc = -1 // without /proc there are only our own
	got := w.below(os.Getpid())
	if !slices.Contains(got, h.Pid) || slices.Contains(got, h.Main) {
		t.Errorf("by wait %v; the holder is %d, and not our own is %d", got, h.Pid, h.Main)
	}
	_ = h.Kill()
	h.gone()
}

// TestWalkAllocatesNothing: a holder's collector is off.
func TestWalkAllocatesNothing(t *testing.T) {
	h := tree(t, "chain", "30")
	w, err := newWalker()
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	for _, children := range []bool{true, false} {
		w.children = children
		w.walk(h.Pid, 0)
		if n := testing.AllocsPerRun(10, func() { w.walk(h.Pid, 0) }); n != 0 {
			t.Errorf("children files %v: a walk allocates %v times", children, n)
		}
	}
	_ = h.Kill()
	h.gone()
}
