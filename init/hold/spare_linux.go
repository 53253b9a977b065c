package hold

import (
	"syscall"

	"github.com/cginit/cginit/init/proctree"
)

// A spare holder waits for the next run, so that the run does not wait for the start of a Go program.
// There is at most one. It is made after the first run that needs a holder: with cgroups no run does.

// KeepSpares sets whether more runs can come that a spare holder is kept for.
func (h *Home) KeepSpares(on bool) { h.keepsSpares = on }

// holderFor gives an order to the spare holder, or to a new one, and returns that holder.
func (h *Home) holderFor(o proctree.Order, p proctree.Place) (*proctree.Tree, error) {
	if spare := h.spare; spare != nil && !p.SameSession {
		h.spare = nil
		if err := spare.Start(o); err == nil {
			return spare, nil
		}
		_ = spare.Close() // somebody has killed it
	}
	return proctree.Start(o, p)
}

// place says where a holder lives.
func (h *Home) place(sameSession bool) proctree.Place {
	return proctree.Place{SameSession: sameSession, NoSubreaper: h.weakest == Marked}
}

// keepSpare makes a spare holder if there is none and more runs can come. If that fails, the next
// run makes its own and reports the error.
func (h *Home) keepSpare() {
	if h.spare == nil && h.keepsSpares {
		h.spare, _ = proctree.Prepare(h.place(false))
	}
}

// DropSpare ends the spare holder, which has no process below it.
func (h *Home) DropSpare() {
	if h.spare != nil {
		_ = h.spare.Close()
		endChild(h.spare.Pid)
		h.spare = nil
	}
}

// isSpare handles what wait4 returns for the spare holder. It returns false if the process is
// another.
func (h *Home) isSpare(pid int, ws syscall.WaitStatus) bool {
	if h.spare == nil || h.spare.Pid != pid {
		return false
	}
	if h.spare.Waited(ws) {
		_ = h.spare.Close()
		h.spare = nil
	}
	return true
}
