package proctree

import "golang.org/x/sys/unix"

// ask sends all of the job, as it is now, a signal that is not sent again: where nothing
// reaches all at once, it is listed whole before anyone is signalled, and the last generation
// goes first. One that is asked to leave does, and what it leaves moves to us, past the walk.
func (h *holder) ask(sig unix.Signal) {
	if h.killer != nil {
		h.killer.signal(sig)
		return
	}
	w := &h.walker
	w.walk(w.self, 0)
	for i := len(w.queue) - 1; i >= 0; i-- {
		n := w.queue[i]
		// Ours stays ours until we wait for it. Another's pid may be somebody else's by now.
		if s, ok := w.stat(int(n.pid)); int(n.parent) == w.self || ok && (s.parent == int(n.parent) || s.parent == w.self) {
			_ = unix.Kill(int(n.pid), sig)
		}
	}
}
