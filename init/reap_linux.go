package supervisor

import (
	"os"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/hold"
	"github.com/cginit/cginit/init/proc"
	"golang.org/x/sys/unix"
)

// reap waits for every child that has died, ours and adopted ones. wait4 is the truth, SIGCHLD only a
// hint. What the bound of drain leaves is for the next turn of the loop.
//
// The project was asked to use github.com/moby/sys/reaper, which is not published. This file and
// inbox.drain are all that would change if it were.
func (s *Supervisor) reap() {
	s.inbox.drain(unix.WNOHANG|unix.WUNTRACED, s.home.Reaped)
	for _, r := range s.live.clone() {
		if r.Status() != nil { // what died may have been its last leftover
			s.inspect(r)
		}
	}
}

// reapWait is how long the end waits for a sign of what is not dead yet.
const reapWait = 200 * time.Millisecond

// reapRest waits for the last zombies, which are left to nobody else. It says in the log what is alive
// after a while: that has got out of its cgroup, or was there before us.
func (s *Supervisor) reapRest() {
	const most = 10 // of those waits, for the dying on a machine that is busy
	for range most {
		late := time.After(reapWait)
		for waiting := true; waiting; {
			if s.inbox.drain(unix.WNOHANG, func(int, syscall.WaitStatus) {}) && hold.Childless() {
				return
			}
			select {
			case <-s.inbox.child:
			case <-late:
				waiting = false
			}
		}
		if escaped := proc.Living(proc.Below(os.Getpid())); len(escaped) > 0 {
			for _, p := range escaped {
				s.log.Printf("process %d %q is below us but not in the job's cgroup, and lives on", p.Pid, p.CommandLine())
			}
			return
		}
	}
}
