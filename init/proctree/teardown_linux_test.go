package proctree

import (
	"strings"
	"testing"
	"time"
)

// kinds are the shapes that test/trees makes, and how many processes each has with its main process.
var kinds = []struct {
	name string
	n    string
	size int // 0 if it differs from moment to moment
}{
	{"plain", "20", 21},
	{"setsid", "20", 21},
	{"deaf", "20", 21},
	{"daemon", "20", 21},
	{"chain", "100", 101},
	{"stopped", "20", 21},
	{"bomb", "40", 0},
}

// ways are the ways in which the end of a job can begin.
var ways = map[string]func(h *held){
	"kill":           func(h *held) { _ = h.Kill(); h.gone() },
	"freeze, kill":   func(h *held) { _ = h.Freeze(); _ = h.Kill(); h.gone() },
	"supervisor die": func(h *held) { h.Close(); h.waitHolder() },
	"main dies":      func(h *held) { _ = h.SignalMain(9); h.await(MainExited); _ = h.Kill(); h.gone() },
}

// tree starts a tree of test/trees and waits until all its processes exist.
func tree(t *testing.T, kind, n string) *held {
	t.Helper()
	marker := strings.ReplaceAll(t.Name(), " ", "-") + time.Now().Format(".150405.000000000.")
	h := start(t, Order{Args: []string{treesBinary, kind, n, "--marker", marker}})
	h.line("ready")
	h.marker = marker
	return h
}

// nothingLeft checks that no process of the job is alive, by its command line.
func (h *held) nothingLeft() {
	h.t.Helper()
	if left := marked(h.marker); len(left) > 0 {
		h.t.Errorf("%s: still alive are %v", h.marker, describe(left))
	}
}

// TestTeardown ends each kind of tree in each way.
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

// TestBomb kills 400 lines of processes that fork and exit as fast as they can.
func TestBomb(t *testing.T) {
	h := tree(t, "bomb", "400")
	before := time.Now()
	if err := h.Kill(); err != nil {
		t.Fatal(err)
	}
	h.gone()
	t.Logf("400 lines ended within %v", time.Since(before))
	h.nothingLeft()
}

// TestNeighbours: the teardown of one tree leaves the trees beside it alone.
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
				t.Errorf("%s has %d processes left", other.marker, n)
			}
		}
	}
}
