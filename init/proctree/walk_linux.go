package proctree

import (
	"errors"
	"os"
	"slices"

	"github.com/cginit/cginit/init/deliver"
	"github.com/cginit/cginit/init/proc"
	"golang.org/x/sys/unix"
)

// walkMost bounds how many processes one walk looks at: a line of processes that fork and exit
// could lead it on for ever.
const walkMost = 1 << 16

// walker finds and signals the descendants of a process. The tree changes while it looks, so what
// it finds proves nothing.
//
// A holder walks while its job may have taken all memory and all pids, and with its garbage
// collector off. So a walk allocates nothing once the queue has grown to its size.
type walker struct {
	proc.Reader
	self    int // our pid
	session int // our session
	// mark is that of the job, where nobody can be a subreaper (see mark_linux.go); otherwise 0.
	mark uint64

	queue []proc.Child // what the last walk or rush has found
	// groups are the process groups that a rush has signalled. It signals those beyond the
	// capacity again.
	groups []int32
}

// groupsMost is the capacity of groups.
const groupsMost = 1 << 10

// errNoProc says why the supervisor cannot list or sweep.
var errNoProc = errors.New("no /proc of our PID namespace is mounted")

// newWalker makes a walker for the supervisor. It returns errNoProc without /proc.
func newWalker() (*walker, error) {
	w := &walker{}
	w.prepare()
	if !w.HasProc {
		return nil, errNoProc
	}
	return w, nil
}

// prepare opens /proc, if there is one.
func (w *walker) prepare() {
	w.self = os.Getpid()
	w.session, _ = unix.Getsid(0)
	w.Open()
}

// walk lists the descendants of root in the queue, parents before children, and sends sig to each;
// 0 sends nothing. It returns how many of them run: neither stopped nor dead. A process whose state
// it cannot read counts as running.
//
// It signals a process before it looks for the children of it: a process that is stopped or dying
// forks no more. But one that ends during the walk gives its children to the holder, whose children were listed
// before that: what a single walk does not find may be there. It signals a pid right after it has seen that the pid is in the tree. The kernel
// hands out pids in turn, so the pid cannot be another process's by then.
func (w *walker) walk(root int, sig unix.Signal) (running int) {
	w.Scan()
	w.queue = w.queue[:0]
	w.addMarked()
	w.addChildren(root, 0)
	kept := 0
	for i := 0; i < len(w.queue) && i < walkMost; i++ {
		c := w.queue[i]
		isOurs := int(c.Parent) == w.self
		if isOurs {
			// A child of ours keeps its pid until we wait for it, so it need not be checked first.
			sendSignal(int(c.Pid), sig)
			if !childLives(int(c.Pid)) {
				continue
			}
		}
		p, ok := w.Stat(int(c.Pid))
		if !isOurs {
			if !ok || p.PPid != int(c.Parent) && p.PPid != root && !w.isMarked(int(c.Pid)) {
				continue // it or its parent has ended since, and the pid may be another process's
			}
			sendSignal(int(c.Pid), sig)
		}
		w.queue[kept] = c // kept is never ahead of i
		kept++
		if p.IsDead() {
			continue // the kernel has given its children away
		}
		if !p.IsStopped() {
			running++
		}
		w.addChildren(int(c.Pid), p.Threads)
	}
	w.queue = w.queue[:kept]
	return running
}

// childLives reports whether pid is a child of ours that has not ended. waitid(2) is the quickest
// way to ask, and that matters among thousands.
func childLives(pid int) bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT|unix.WALL, nil)
	return err == nil && info.Signo == 0
}

// sendSignal sends a signal; 0 sends nothing. It ignores errors: a process that has ended needs no
// signal, and a walk can do nothing about a process that it may not signal.
func sendSignal(pid int, sig unix.Signal) {
	if sig != 0 {
		_ = deliver.Signal(pid, sig)
	}
}

// rush signals the children of this process and their process groups. It reports whether any of
// the children lives.
func (w *walker) rush(sig unix.Signal) (alive bool) {
	w.queue, w.groups = w.queue[:0], w.groups[:0]
	w.Scan()
	w.addChildren(w.self, 0)
	for _, c := range slices.Backward(w.queue) { // the youngest are those that fork next
		if !w.signalGroup(int(c.Pid), sig) {
			sendSignal(int(c.Pid), sig)
		}
	}
	for _, c := range slices.Backward(w.queue) {
		if childLives(int(c.Pid)) {
			return true
		}
	}
	return false
}

// signalGroup signals the process group of a child of ours, dead or alive. It returns true if this
// rush has signalled the group, now or before, and false if the group may have members that are not
// the job's.
//
// The kernel signals a group under the lock that every fork takes, so no fork slips past, and a
// list of children that is out of date is good enough. A session other than ours has only
// descendants of the process that made it. A group or session 0 is outside of our PID namespace.
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
	// The child may have left our session, and with it the group, between the two calls above. It
	// cannot come back.
	if now, err := unix.Getpgid(pid); err != nil || now != group || deliver.Signal(-group, sig) != nil {
		return false
	}
	if len(w.groups) < cap(w.groups) {
		w.groups = append(w.groups, int32(group))
	}
	return true
}
