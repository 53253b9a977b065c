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
		// A group at once, as in a rush, where all of the session is below us: the orphan of a session that has
		// entered from outside, such as docker exec, is alone here.
		if sig != unix.SIGKILL || !w.hasSession(pid, isOurs) || !w.signalGroup(pid, sig) {
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

// hasSession tells whether the leader of the session of pid is below us and none of ours, or gone: what it has
// started is below us then.
func (w *walker) hasSession(pid int, isOurs func(pid int) bool) bool {
	const most = 64 // levels; a chain that is longer is no session to be quick about
	leader, err := unix.Getsid(pid)
	if err != nil || leader == 0 {
		return false
	}
	for at := range most {
		switch p, ok := w.Stat(leader); {
		case !ok:
			return at == 0
		case isOurs(leader):
			return false
		case p.PPid == w.self:
			return true
		case p.PPid == 0:
			return false
		default:
			leader = p.PPid
		}
	}
	return false
}
