package supervisor

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Pause runs no job. It reaps orphans until SIGTERM or SIGINT comes, and returns exit status 0. The
// infra container of a podman pod runs it.
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
