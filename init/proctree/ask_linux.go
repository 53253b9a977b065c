package proctree

import (
	"slices"

	"github.com/cginit/cginit/init/proc"
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

func (h *holder) askOf(found []proc.Child, sig unix.Signal) {
	for _, n := range slices.Backward(found) {
		if slices.Contains(h.asked, n.Pid) {
			continue
		}
		// Ours stays ours until we wait for it. Another's pid may be somebody else's by now.
		s, ok := h.walker.Stat(int(n.Pid))
		isOurs := int(n.Parent) == h.walker.self || ok && (s.PPid == int(n.Parent) || s.PPid == h.walker.self)
		if isOurs && !s.IsDead() {
			h.asked = append(h.asked, n.Pid)
			_ = unix.Kill(int(n.Pid), sig)
		}
	}
}
