package proctree

import (
	"strings"
	"testing"
	"time"
)

// kinds are the shapes of test/trees, and how many processes each is, its main one included.
var kinds = []struct {
	name string
	n    string
	size int // 0: it never is the same
}{
	{"plain", "20", 21},
	{"setsid", "20", 21},
	{"deaf", "20", 21},
	{"daemon", "20", 21},
	{"chain", "100", 101},
	{"stopped", "20", 21},
	{"bomb", "40", 0},
}

// ways are how a job's end begins.
var ways = map[string]func(h *held){
	"kill":           func(h *held) { _ = h.Kill(); h.gone() },
	"freeze, kill":   func(h *held) { _ = h.Freeze(); _ = h.Kill(); h.gone() },
	"supervisor die": func(h *held) { h.Close(); h.waitHolder() },
	"main dies":      func(h *held) { _ = h.SignalMain(9); h.await(MainExited); _ = h.Kill(); h.gone() },
}

// tree starts a tree of test/trees and waits until all of it is there.
func tree(t *testing.T, kind, n string) *held {
	t.Helper()
	marker := strings.ReplaceAll(t.Name(), " ", "-") + time.Now().Format(".150405.000000000.")
	h := start(t, Order{Args: []string{treesBinary, kind, n, "--marker", marker}})
	h.line("ready")
	h.marker = marker
	return h
}

// nothingLeft looks for what the holder says there is none of.
func (h *held) nothingLeft() {
	h.t.Helper()
	if left := marked(h.marker); len(left) > 0 {
		h.t.Errorf("%s: left are %v", h.marker, describe(left))
	}
}

func TestTeardown(t *testing.T) {
	for _, kind := range kinds {
		for way, end := range ways {
			t.Run(kind.name+" "+way, func(t *testing.T) {
				h := tree(t, kind.name, kind.n)
				if n := len(marked(h.marker)); kind.size != 0 && n != kind.size {
					t.Errorf("there are %d processes, not %d", n, kind.size)
				}
				before := time.Now()
				end(h)
				t.Logf("%v", time.Since(before))
				h.nothingLeft()
			})
		}
	}
}

// TestBomb is 400 lines of processes that fork and exit as fast as they can.
func TestBomb(t *testing.T) {
	h := tree(t, "bomb", "400")
	before := time.Now()
	if err := h.Kill(); err != nil {
		t.Fatal(err)
	}
	h.gone()
	t.Logf("400 lines were gone in %v", time.Since(before))
	h.nothingLeft()
}

// TestNeighbours: of trees side by side one is torn down, and the others do not notice.
func TestNeighbours(t *testing.T) {
	var all []*held
	for _, kind := range []string{"daemon", "chain", "plain", "stopped"} {
		all = append(all, tree(t, kind, "20"))
	}
	for i, h := range all {
		if i%2 == 0 {
			_ = h.Freeze()
			h.await(Frozen)
		}
		_ = h.Kill()
		h.gone()
		h.nothingLeft()
		for _, other := range all[i+1:] {
			if n := len(marked(other.marker)); n != 21 {
				t.Errorf("of %s %d processes are left", other.marker, n)
			}
		}
	}
}
