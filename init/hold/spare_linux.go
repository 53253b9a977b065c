package hold

import (
	"syscall"

	"github.com/cginit/cginit/init/proctree"
)

// A spare holder waits for the next run, so that no run waits for the start of a Go program. There
// is one at most, and none before the first run that needs one: with a cgroup there are no holders.

// KeepSpares says whether a spare holder will be of use from now on.
func (h *Home) KeepSpares(on bool) { h.keepsSpares = on }

// holderFor gives an order to the spare holder, or to a new one.
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

// keepSpare makes a spare holder if there is none and one will be of use. Where that fails the next
// run has to make its own, and says what is wrong.
func (h *Home) keepSpare() {
	if h.spare == nil && h.keepsSpares {
		h.spare, _ = proctree.Prepare(proctree.Place{})
	}
}

// DropSpare ends the spare holder. Nothing is below it.
func (h *Home) DropSpare() {
	if h.spare != nil {
		_ = h.spare.Close()
		endChild(h.spare.Pid)
		h.spare = nil
	}
}

// isSpare handles what wait4 says of the spare holder; it returns false if the process is another.
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
