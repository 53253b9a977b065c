package proctree

import (
	"slices"

	"github.com/cginit/cginit/init/deliver"
	"github.com/cginit/cginit/init/proc"
	"golang.org/x/sys/unix"
)

// signalRounds is how often signalOnce looks for processes that have been forked meanwhile. A job
// that goes on forking is signalled in part, and killed later.
const signalRounds = 5

// signalOnce sends a signal to each process of the job once.
//
// Without a uid of the job's own the kernel has no call that reaches all of a tree at once. So the
// tree is listed whole before any process is signalled, and the youngest generation is signalled
// first: a process that ends gives its children to the holder, where a walk would not look again.
// A process that forks between the list and its signal leaves a child without the signal. So the
// tree is listed again until there is no new process, and none has ended since the last list, which can have missed
// the children of that one (see walk). It is not listed again later: what a process
// starts because it was signalled is not to be signalled. So one child can go without the signal: a
// fork goes on after SIGTERM if its process has another signal pending, such as the SIGCHLD that a
// shell catches (findings/fork-survives-sigterm.sh).
func (h *holder) signalOnce(sig unix.Signal) {
	if h.killer != nil {
		h.killer.signal(sig)
		return
	}
	h.signalled = h.signalled[:0]
	for gone, rounds := 0, 0; rounds < signalRounds; rounds++ {
		before, goneBefore := len(h.signalled), gone
		h.walker.walk(h.walker.self, 0)
		gone = h.gone()
		h.signalNew(h.walker.queue, sig)
		if len(h.signalled) == before && gone == goneBefore {
			return
		}
	}
}

// signalNew signals those of the processes that signalOnce has not signalled yet, from the last to
// the first.
func (h *holder) signalNew(found []proc.Child, sig unix.Signal) {
	for _, c := range slices.Backward(found) {
		if slices.Contains(h.signalled, c.Pid) {
			continue
		}
		// The pid of a child of ours stays its own until we wait for it. Any other pid may have
		// been given to a process that is not the job's.
		p, ok := h.walker.Stat(int(c.Pid))
		isJobs := int(c.Parent) == h.walker.self || ok && (p.PPid == int(c.Parent) || p.PPid == h.walker.self || h.walker.isMarked(int(c.Pid)))
		if isJobs && !p.IsDead() {
			h.signalled = append(h.signalled, c.Pid)
			_ = deliver.Signal(int(c.Pid), sig)
		}
	}
}

// gone returns how many of the processes that were signalled the last walk has not found.
func (h *holder) gone() (n int) {
	for _, pid := range h.signalled {
		if !slices.ContainsFunc(h.walker.queue, func(c proc.Child) bool { return c.Pid == pid }) {
			n++
		}
	}
	return n
}
