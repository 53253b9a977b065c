package proctree

import (
	"fmt"
	"slices"

	"github.com/cginit/cginit/init/proc"
	"golang.org/x/sys/unix"
)

// The kernel lets every process be a subreaper, but an emulator may not: qemu-user 7.2 refuses it. The orphans
// of a job then leave the tree. So the holder marks its job ([proc.SetMark]), and looks for the mark besides
// walking the tree.

// markBase makes a mark that nobody sets as a limit.
const markBase = 1 << 60

// markedPause is the time in milliseconds between two looks for processes that are no longer below the holder.
const markedPause = 100

// markOf returns the mark of the job of a holder. It has the number of our PID namespace too, since another one can
// have a holder with the same pid.
func markOf(holder int) uint64 {
	var space unix.Stat_t
	_ = unix.Stat("/proc/self/ns/pid", &space)
	return markBase | uint64(uint32(space.Ino))<<22 | uint64(holder) // a pid has 22 bits
}

// CanMark returns an error where jobs cannot be marked, or the marks not be found.
func CanMark() error {
	w, err := newWalker()
	if err != nil {
		return err
	}
	w.Close()
	most, err := proc.HighestMark()
	if err == nil && most < markOf(1<<22-1) {
		err = fmt.Errorf("the hard limit RLIMIT_LOCKS is %d, and must be unlimited (docker run --ulimit locks=-1)", most)
	}
	return err
}

// CanAdopt makes this process a subreaper, the parent of the orphans below it (since Linux 3.4). The error says
// why nobody can be one here.
func CanAdopt() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// IsMarked tells whether a process has the mark of the job of a holder.
func IsMarked(pid, holder int) bool {
	r := &proc.Reader{}
	r.Open()
	defer r.Close()
	return r.HasProc && r.Mark(pid) == markOf(holder)
}

// SweepMarked signals the processes with the mark of a lost holder and returns their pids; signal 0 only
// returns them. The error says that there is no /proc of our PID namespace.
func SweepMarked(sig unix.Signal, holder int) ([]int, error) {
	w, err := newWalker()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	w.mark = markOf(holder)
	if w.walk(0, sig); len(w.queue) == 0 {
		w.walk(0, sig) // see hasMarked
	}
	var swept []int
	for _, c := range w.queue {
		swept = append(swept, int(c.Pid))
	}
	return swept, nil
}

// addMarked adds the processes with the mark to the queue, wherever they are.
func (w *walker) addMarked() {
	if w.mark != 0 {
		w.queue = w.Marked(w.queue, w.mark)
	}
}

// isMarked tells whether a process has the mark, if there is one.
func (w *walker) isMarked(pid int) bool { return w.mark != 0 && w.Mark(pid) == w.mark }

// dropKnown takes out of the queue from place from on what is there before.
func (w *walker) dropKnown(from int) {
	if w.mark == 0 {
		return
	}
	before := w.queue[:from]
	kept := before
	for _, c := range w.queue[from:] {
		isSame := func(other proc.Child) bool { return other.Pid == c.Pid }
		if !slices.ContainsFunc(before, isSame) {
			kept = append(kept, c)
		}
	}
	w.queue = kept
}

// hasMarked tells whether a process of the job lives that is not below the holder. It looks twice: a process can
// fork and end while one look passes by.
func (h *holder) hasMarked() bool {
	for range 2 {
		h.walker.queue = h.walker.queue[:0]
		if h.walker.addMarked(); len(h.walker.queue) > 0 {
			return true
		}
	}
	return false
}
