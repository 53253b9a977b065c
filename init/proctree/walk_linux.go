package proctree

import (
	"errors"
	"os"
	"slices"

	"github.com/cginit/cginit/init/proc"
	"golang.org/x/sys/unix"
)

// walker finds what is below a process. It is a look at something that moves, never a proof.
//
// A holder walks while its job may have taken all the memory and pids that there are, and with
// its collector off, so a walk allocates nothing once the queue is as large as it gets.
type walker struct {
	proc.Reader
	self    int
	session int

	queue  []proc.Child
	groups []int32 // that a rush has signalled; those beyond its capacity are signalled again
}

var errNoProc = errors.New("there is no /proc of our PID namespace: what is left cannot be listed")

// newWalker makes a walker for the supervisor, which needs /proc: without it, no list.
func newWalker() (*walker, error) {
	w := &walker{}
	w.open()
	if !w.HasProc {
		return nil, errNoProc
	}
	return w, nil
}

// open looks at what there is to walk by.
func (w *walker) open() {
	w.self = os.Getpid()
	w.session, _ = unix.Getsid(0)
	w.Open()
}

// walk signals all that it finds below root, each before its children are looked for: one that
// is stopped or dying makes no more. Signal 0 is none. It returns how many run: are neither
// stopped nor dead, or cannot be told.
//
// A pid is signalled right after it was seen to be in the tree. The kernel hands out pids in
// turn, so it cannot be another's before all others have had theirs.
func (w *walker) walk(root int, sig unix.Signal) (running int) {
	w.Scan()
	w.queue = w.queue[:0]
	w.add(root, 0)
	kept := 0
	for i := 0; i < len(w.queue) && i < walkMost; i++ {
		n := w.queue[i]
		ours := int(n.Parent) == w.self
		if ours {
			// It stays ours until we wait for it, so nothing needs to be looked at first.
			signal(n, sig)
			if !lives(int(n.Pid)) {
				continue
			}
		}
		s, ok := w.Stat(int(n.Pid))
		if !ours {
			// Its parent may have ended since, or itself, and left the pid to somebody else.
			if !ok || s.PPid != int(n.Parent) && s.PPid != root {
				continue
			}
			signal(n, sig)
		}
		w.queue[kept] = n // behind i, or at it
		kept++
		if s.IsDead() {
			continue // its children have been given away
		}
		if !s.IsStopped() {
			running++
		}
		w.add(int(n.Pid), s.Threads)
	}
	w.queue = w.queue[:kept]
	return running
}

// lives tells whether this is a child of ours, and not a zombie. It is the quickest way to ask,
// and among thousands that matters.
func lives(pid int) bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	return err == nil && info.Signo == 0
}

// signal may fail: what has ended needs none, and for what we may not signal a walk has no answer.
func signal(n proc.Child, sig unix.Signal) {
	if sig != 0 {
		_ = unix.Kill(int(n.Pid), sig)
	}
}

// rush signals the children of this process, and with them their process groups. It tells
// whether any of the children lives.
func (w *walker) rush(sig unix.Signal) (alive bool) {
	w.queue, w.groups = w.queue[:0], w.groups[:0]
	w.Scan()
	w.add(w.self, 0)
	for _, n := range slices.Backward(w.queue) { // the youngest are who is about to fork
		if !w.signalGroup(int(n.Pid), sig) {
			signal(n, sig)
		}
	}
	for _, n := range slices.Backward(w.queue) {
		if lives(int(n.Pid)) {
			return true
		}
	}
	return false
}

// signalGroup signals the process group of a child of ours, dead or alive, and tells whether it
// did, or has. The kernel does that under the lock that every fork takes, so none slips past, and
// a list that is old already is as good as a new one. In a session that is not ours there are
// only the descendants of who made it. A group or session 0 is from outside our PID namespace.
func (w *walker) signalGroup(pid int, sig unix.Signal) bool {
	group, err := unix.Getpgid(pid)
	if err != nil || group <= 1 {
		return false
	}
	if slices.Contains(w.groups, int32(group)) {
		return true
	}
	session, err := unix.Getsid(pid)
	if err != nil || session == w.session || session == 0 {
		return false
	}
	// It may have left our session, and with it the group, since we asked; it cannot come back.
	if again, err := unix.Getpgid(pid); err != nil || again != group || unix.Kill(-group, sig) != nil {
		return false
	}
	if len(w.groups) < cap(w.groups) {
		w.groups = append(w.groups, int32(group))
	}
	return true
}

// walkMost bounds one walk: a line of processes that fork and exit could lead it on for ever.
const walkMost = 1 << 16
