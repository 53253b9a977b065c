package supervisor

import (
	"syscall"

	"github.com/cginit/cginit/init/proctree"
)

// A spare holder waits for the next run, so that the start of a Go program is not part of each
// run's. There is one at most, and none before the first run that needs one: who has a cgroup
// to write has no holders at all.

// holderFor gives an order to the spare holder, or to a new one.
func (s *Supervisor) holderFor(o proctree.Order, p proctree.Place) (*proctree.Tree, error) {
	if h := s.spare; h != nil && !p.SameSession {
		s.spare = nil
		if err := h.Start(o); err == nil {
			return h, nil
		}
		_ = h.Close() // somebody has killed it
	}
	return proctree.Start(o, p)
}

// keepSpare makes a spare holder if there is none and one will be of use. Where it cannot be
// made the next run has to make its own, and says what is wrong.
func (s *Supervisor) keepSpare() {
	if s.spare != nil || s.phase == ending || s.single != nil && s.server == nil {
		return
	}
	s.spare, _ = proctree.Prepare(proctree.Place{})
}

// dropSpare ends it. It has nothing below it.
func (s *Supervisor) dropSpare() {
	if s.spare != nil {
		_ = s.spare.Close()
		endChild(s.spare.Pid)
		s.spare = nil
	}
}

// isSpare handles what wait4 says of the spare holder.
func (s *Supervisor) isSpare(pid int, ws syscall.WaitStatus) bool {
	if s.spare == nil || s.spare.Pid != pid {
		return false
	}
	if s.spare.Waited(ws) {
		_ = s.spare.Close()
		s.spare = nil
	}
	return true
}
