package supervisor

import (
	"syscall"

	"github.com/cginit/cginit/init/status"
	"golang.org/x/sys/unix"
)

// Pause runs no job. It reaps orphans until SIGTERM or SIGINT comes, and returns exit status 0. The
// infra container of a podman pod runs it.
func (s *Supervisor) Pause() (exitStatus int) {
	in, err := catch()
	if err != nil {
		s.log.Printf("%v", err)
		s.log.Close()
		return status.Failed
	}
	for {
		in.drain(unix.WNOHANG, func(int, syscall.WaitStatus) {})
		select {
		case <-in.child:
		case sig := <-in.signals:
			if sig == unix.SIGTERM || sig == unix.SIGINT {
				return 0
			}
		}
	}
}
