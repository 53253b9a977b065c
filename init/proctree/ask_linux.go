package proctree

import (
	"slices"

	"golang.org/x/sys/unix"
)

// askRounds bounds them: what forks faster is asked in part, and killed later.
const askRounds = 5

// ask sends all of the job, as it is now, a signal that is not sent again: where nothing
// reaches all at once, it is listed whole before anyone is signalled, and the last generation
// goes first. One that is asked to leave does, and what it leaves moves to us, past the walk.
// One that forks between the list and its signal leaves a child: so again, until nobody is new.
func (h *holder) ask(sig unix.Signal) {
	if h.killer != nil {
		h.killer.signal(sig)
		return
	}
	h.asked = h.asked[:0]
	for range askRounds {
		before := len(h.asked)
		h.walker.walk(h.walker.self, 0)
		h.askOf(h.walker.queue, sig)
		if len(h.asked) == before {
			return
		}
	}
}

func (h *holder) askOf(found []node, sig unix.Signal) {
	for _, n := range slices.Backward(found) {
		if slices.Contains(h.asked, n.pid) {
			continue
		}
		// Ours stays ours until we wait for it. Another's pid may be somebody else's by now.
		s, ok := h.walker.stat(int(n.pid))
		isOurs := int(n.parent) == h.walker.self || ok && (s.parent == int(n.parent) || s.parent == h.walker.self)
		if isOurs && !s.isDead() {
			h.asked = append(h.asked, n.pid)
			_ = unix.Kill(int(n.pid), sig)
		}
	}
}
