package supervisor

import (
	"os"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/proctree"
	"golang.org/x/sys/unix"
)

// reapBatch bounds one look for dead children: a job that forks without end must not hold the
// loop.
const reapBatch = 200

// reap waits for every child that has died, ours and adopted ones. wait4 is the truth, SIGCHLD
// only a hint. What the bound leaves is for the next turn of the loop, which it asks for.
//
// The project was asked to use github.com/moby/sys/reaper, which is not published; this file
// is all that would change if it were.
func (s *Supervisor) reap() {
	s.inbox.drain(unix.WNOHANG|unix.WUNTRACED, s.reaped)
	for _, r := range s.liveRuns() {
		if r.status != nil { // what died may have been its last leftover
			s.inspect(r)
		}
	}
}

// drain waits for children, a bounded number, and tells whether it found the last.
func (in *inbox) drain(options int, each func(pid int, ws syscall.WaitStatus)) bool {
	for range reapBatch {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &ws, options, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return true
		}
		each(pid, ws)
	}
	select {
	case in.child <- unix.SIGCHLD:
	default: // one is there already
	}
	return false
}

// reapWait is how long the end waits for a sign of what is not dead yet.
const reapWait = 200 * time.Millisecond

// reapRest waits for the last zombies, which are left to nobody else. What is alive after a
// while has got out of its cgroup, or was there before us: it is to be known.
func (s *Supervisor) reapRest() {
	const most = 10 // of those waits, for the dying on a machine that is busy
	for range most {
		late := time.After(reapWait)
		for waiting := true; waiting; {
			if s.inbox.drain(unix.WNOHANG, func(int, syscall.WaitStatus) {}) && childless() {
				return
			}
			select {
			case <-s.inbox.child:
			case <-late:
				waiting = false
			}
		}
		if escaped := living(proctree.Below(os.Getpid())); len(escaped) > 0 {
			for _, p := range escaped {
				s.log.printf("process %d %q is below us but not in the job's cgroup, and lives on", p.pid, commandLine(p))
			}
			return
		}
	}
}

// reaped handles one child. Most are nobody's: orphans that we adopted.
func (s *Supervisor) reaped(pid int, ws syscall.WaitStatus) {
	r := s.mains[pid]
	if ws.Exited() || ws.Signaled() {
		delete(s.elders, pid)
	}
	switch {
	case s.guardian != nil && pid == s.guardian.pid:
		s.guardian.lost(s.now())
	case s.isHolder(pid, ws), s.isSpare(pid, ws):
	case r == nil:
	case ws.Stopped():
		s.suspended(r)
	case ws.Exited() || ws.Signaled():
		s.mainReaped(r, ws)
	}
}

// mainReaped is told that a main process has ended. What else runs inside its run ends with it.
func (s *Supervisor) mainReaped(r *run, ws syscall.WaitStatus) {
	delete(s.mains, r.main.pid)
	r.status = &ws
	s.killAttendants(r)
	s.inspect(r)
}
