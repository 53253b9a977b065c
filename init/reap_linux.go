package supervisor

import (
	"os"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/hold"
	"github.com/cginit/cginit/init/proc"
	"golang.org/x/sys/unix"
)

// reap waits for every child that has ended, our own and adopted ones. Only wait4 knows; SIGCHLD is
// a hint. What exceeds reapBatch waits for the next turn of the loop.
//
// The project was asked to use github.com/moby/sys/reaper, which is not published. If it were, this
// file and inbox.drain are all that would change.
func (s *Supervisor) reap() {
	if s.isReaping { // what the end of a child has led to asks for the others, which come next
		return
	}
	s.isReaping = true
	defer func() { s.isReaping = false }()
	others := false
	for again := true; again; {
		found := 0
		s.inbox.drain(unix.WNOHANG|unix.WUNTRACED, func(pid int, ws syscall.WaitStatus) {
			found++
			if !s.home.Reaped(pid, ws) {
				others = true
			}
		})
		again = s.flood.note(found)
	}
	if !others { // the end of a main process has been looked at
		return
	}
	for _, r := range s.live.bereft() { // the child may have been the last leftover of one of them
		s.inspect(r)
	}
}

// reapWait is how long reapRest waits for a SIGCHLD before it looks at what is left.
const reapWait = 200 * time.Millisecond

// reapRest reaps our last children, because nobody else would. It logs each process below us that
// is still alive after reapWait: such a process has left its cgroup, or was there before us.
func (s *Supervisor) reapRest() {
	s.flood.hear()
	const most = 10 // on a busy machine processes that are exiting can take several waits
	for range most {
		late := time.After(reapWait)
		for waiting := true; waiting; {
			if s.inbox.drain(unix.WNOHANG, func(int, syscall.WaitStatus) {}) && hold.Childless() {
				return
			}
			select {
			case <-s.inbox.child:
			case <-s.inbox.signals: // SIGCHLD; no other is waited for any more
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
		// Who was dead before wait4 had no more to return, and is still there, is a tracer's to wait for.
		wereDead := proc.ChildrenAreDead(os.Getpid())
		if s.inbox.drain(unix.WNOHANG, func(int, syscall.WaitStatus) {}) && wereDead && proc.ChildrenAreDead(os.Getpid()) {
			return
		}
	}
}
