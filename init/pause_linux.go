package supervisor

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Pause runs nothing: it reaps what is left to it, until SIGTERM or SIGINT, and returns 0. The infra
// container of a podman pod does that.
func (s *Supervisor) Pause() int {
	s.inbox = catch()
	for {
		s.inbox.drain(unix.WNOHANG, func(int, syscall.WaitStatus) {})
		select {
		case <-s.inbox.child:
		case <-s.inbox.stop:
			return 0
		case <-s.inbox.other:
		}
	}
}
