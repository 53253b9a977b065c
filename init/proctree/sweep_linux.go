package proctree

import (
	"slices"

	"golang.org/x/sys/unix"
)

// Sweep signals the processes that a lost holder (see [Tree.Lost]) has left behind and returns their
// pids. The error says that there is no /proc of our PID namespace.
//
// The kernel makes the children of a lost holder children of the supervisor, or, if the supervisor
// is neither process 1 nor a subreaper, of another process. Sweep signals every child of the
// caller for which isOurs returns false, and all descendants of such a child. isOurs must return
// true for holders and for the supervisor's other helpers. To end all of them, call Sweep with
// SIGKILL until it returns no pid.
//
// Only the goroutine that waits for the children may call it: until it waits, the pid of a child
// cannot become another process's. If several holders are lost, Sweep cannot tell whose a process
// was.
func Sweep(sig unix.Signal, isOurs func(pid int) bool) ([]int, error) {
	w, err := newWalker()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	w.groups = make([]int32, 0, groupsMost)
	swept := w.sweep(sig, isOurs)
	if len(swept) == 0 { // a child that has just ended may have left us its own after we looked
		swept = w.sweep(sig, isOurs)
	}
	return swept, nil
}

// sweep looks once.
func (w *walker) sweep(sig unix.Signal, isOurs func(pid int) bool) (swept []int) {
	w.Scan()
	w.queue = w.queue[:0]
	w.addChildren(w.self, 0)
	for _, c := range slices.Clone(w.queue) { // each walk overwrites the queue
		pid := int(c.Pid)
		if isOurs(pid) || !childLives(pid) {
			continue
		}
		if sig != unix.SIGKILL || !w.signalGroup(pid, sig) { // a group at once, as in a rush
			sendSignal(pid, sig)
		}
		w.walk(pid, sig)
		swept = append(swept, pid)
		for _, below := range w.queue {
			swept = append(swept, int(below.Pid))
		}
	}
	return swept
}
