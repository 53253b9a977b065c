package proctree

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// walker finds what is below a process. It is a look at something that moves, never a proof.
//
// A holder walks while its job may have taken all the memory and pids that there are, and with
// its collector off, so a walk allocates nothing once the queue is as large as it gets.
type walker struct {
	proc     int  // descriptor of /proc; -1: there is none that is ours
	children bool // the kernel has /proc/PID/task/TID/children (CONFIG_PROC_CHILDREN, since Linux 3.5)
	self     int

	queue []node
	all   []node // every process with its parent, where there are no children files
	path  [64]byte
	buf   [4096]byte
	names [4096]byte
}

type node struct{ pid, parent int32 }

// tally is what a walk has come by.
type tally struct {
	running int // neither stopped nor dead, or not to be told
	refused int // that we may not signal
}

var errNoProc = errors.New("there is no /proc of our PID namespace: what is left cannot be listed")

// newWalker makes a walker for the supervisor, which needs /proc: without it, no list.
func newWalker() (*walker, error) {
	w := &walker{}
	w.open()
	if w.proc < 0 {
		return nil, errNoProc
	}
	return w, nil
}

// open looks at what there is to walk by. A /proc of another PID namespace would name strangers.
func (w *walker) open() {
	w.self = os.Getpid()
	w.proc = -1
	fd, err := unix.Open("/proc", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	n, err := unix.Readlinkat(fd, "self", w.buf[:])
	if pid, rest := leadingNumber(w.buf[:max(n, 0)]); err != nil || len(rest) > 0 || pid != w.self {
		unix.Close(fd)
		return
	}
	w.proc = fd
	if fd := w.openAt(w.self, "task", w.self, "children"); fd >= 0 {
		w.children = true
		unix.Close(fd)
	}
}

func (w *walker) close() {
	if w.proc >= 0 {
		unix.Close(w.proc)
	}
}

// below lists what is below root, parents before children.
func (w *walker) below(root int) []int {
	w.walk(root, 0)
	var pids []int
	for _, n := range w.queue {
		pids = append(pids, int(n.pid))
	}
	return pids
}

// walk signals all that it finds below root, each before its children are looked for: one that
// is stopped or dying makes no more. Signal 0 is none.
//
// A pid is signalled right after it was seen to be in the tree. The kernel hands out pids in
// turn, so it cannot be another's before all others have had theirs.
func (w *walker) walk(root int, sig unix.Signal) (t tally) {
	w.scan()
	for range rushes {
		w.queue = w.queue[:0]
		w.add(root, 0)
		if root != w.self || sig == 0 {
			break
		}
		// Our own children stay ours until we wait for them, so nothing needs to be looked at
		// first: what forks and exits is caught here or not at all.
		for _, n := range w.queue {
			t.signal(n, sig)
		}
	}
	kept := 0
	for i := 0; i < len(w.queue) && i < walkMost; i++ {
		n := w.queue[i]
		ours := int(n.parent) == w.self
		if ours && hasDied(int(n.pid)) {
			continue // whoever reaps has yet to hear of it
		}
		s, ok := w.stat(int(n.pid))
		if !ours {
			// Its parent may have ended since, or itself, and left the pid to somebody else.
			if !ok || s.parent != int(n.parent) && s.parent != root {
				continue
			}
			t.signal(n, sig)
		}
		w.queue[kept] = n // behind i, or at it
		kept++
		if s.isDead() {
			continue // its children have been given away
		}
		if !s.isStopped() {
			t.running++
		}
		w.add(int(n.pid), s.threads)
	}
	w.queue = w.queue[:kept]
	return t
}

// hasDied tells whether a child of ours is a zombie. It is the quickest way to ask, and among
// thousands that matters.
func hasDied(pid int) bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	return err == nil && info.Signo != 0
}

func (t *tally) signal(n node, sig unix.Signal) {
	if sig != 0 && unix.Kill(int(n.pid), sig) == unix.EPERM {
		t.refused++
	}
}

// rushes is how often a walk signals all children of ours before it looks further.
const rushes = 3

// walkMost bounds one walk: a line of processes that fork and exit could lead it on for ever.
const walkMost = 1 << 16

// add puts the children of pid at the end of the queue. threads is how many it has, 0 if that
// is not known.
func (w *walker) add(pid, threads int) {
	switch {
	case w.children && threads == 1:
		w.addFromThread(pid, pid)
	case w.children:
		w.addFrom(pid)
	case w.proc >= 0:
		for _, n := range w.all {
			if int(n.parent) == pid {
				w.queue = append(w.queue, n)
			}
		}
	case pid == w.self:
		w.addWaited()
	}
}

// addFrom reads the children files of all threads of pid.
func (w *walker) addFrom(pid int) {
	dir := w.openAt(pid, "task", 0, "")
	if dir < 0 {
		return
	}
	defer unix.Close(dir)
	for {
		n, err := unix.ReadDirent(dir, w.names[:])
		if err != nil || n <= 0 {
			return
		}
		for tid := range numbers(w.names[:n]) {
			w.addFromThread(pid, tid)
		}
	}
}

func (w *walker) addFromThread(pid, tid int) {
	fd := w.openAt(pid, "task", tid, "children")
	if fd < 0 {
		return
	}
	defer unix.Close(fd)
	child := 0
	for {
		n, err := unix.Read(fd, w.buf[:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return
		}
		for _, c := range w.buf[:n] {
			switch {
			case c >= '0' && c <= '9':
				child = 10*child + int(c-'0')
			case child != 0: // every pid has a space after it
				w.queue = append(w.queue, node{int32(child), int32(pid)})
				child = 0
			}
		}
	}
}

// scan reads who is whose child from every process, where no children files tell.
func (w *walker) scan() {
	w.all = w.all[:0]
	if w.children || w.proc < 0 {
		return
	}
	dir := openRaw(w.proc, append(w.path[:0], '.', 0))
	if dir < 0 {
		return
	}
	defer unix.Close(dir)
	for {
		n, err := unix.ReadDirent(dir, w.names[:])
		if err != nil || n <= 0 {
			return
		}
		for pid := range numbers(w.names[:n]) {
			if s, ok := w.stat(pid); ok {
				w.all = append(w.all, node{int32(pid), int32(s.parent)})
			}
		}
	}
}

// pidLimit is PID_MAX_LIMIT, which no pid reaches, and pidUsual what most kernels stay below.
const pidLimit, pidUsual = 1 << 22, 1 << 15

// addWaited finds our own children without /proc, by asking the kernel of every pid whether we
// could wait for it.
func (w *walker) addWaited() {
	for pid := 2; pid < pidLimit; pid++ {
		if pid == pidUsual && len(w.queue) > 0 {
			return
		}
		if unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil) == nil {
			w.queue = append(w.queue, node{int32(pid), int32(w.self)})
		}
	}
}

// stat is what a walk needs of /proc/PID/stat, see proc_pid_stat(5).
type stat struct {
	state   byte
	parent  int
	threads int
}

// isDead: of a zombie whose threads live only the first has ended.
func (s stat) isDead() bool { return s.state == 'X' || s.state == 'Z' && s.threads <= 1 }

func (s stat) isStopped() bool { return s.state == 'T' || s.state == 't' }

func (w *walker) stat(pid int) (stat, bool) {
	fd := w.openAt(pid, "stat", 0, "")
	if fd < 0 {
		return stat{}, false
	}
	defer unix.Close(fd)
	n, err := unix.Read(fd, w.buf[:])
	if err != nil {
		return stat{}, false
	}
	return parseStat(w.buf[:n])
}

// parseStat: the command stands in parentheses and may hold any character, so what follows is
// found from the last parenthesis.
func parseStat(b []byte) (s stat, ok bool) {
	i := bytes.LastIndexByte(b, ')')
	if i < 0 || len(b) < i+4 {
		return s, false
	}
	s.state = b[i+2]
	b = b[i+4:]
	const parent, threads = 4, 20 // fields of the file, from 1
	for field := parent; field <= threads; field++ {
		end := bytes.IndexByte(b, ' ')
		if end < 0 {
			return s, false
		}
		switch n, _ := leadingNumber(b[:end]); field {
		case parent:
			s.parent = n
		case threads:
			s.threads = n
		}
		b = b[end+1:]
	}
	return s, true
}

func leadingNumber(b []byte) (n int, rest []byte) {
	for len(b) > 0 && b[0] >= '0' && b[0] <= '9' {
		n, b = 10*n+int(b[0]-'0'), b[1:]
	}
	return n, b
}

// numbers yields the names in what getdents64 has written that are numbers. An entry is an
// inode and an offset of 8 bytes each, its own length of 2, a type of 1, and the name.
func numbers(b []byte) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for len(b) > 19 {
			length := int(binary.NativeEndian.Uint16(b[16:]))
			if length < 19 || length > len(b) {
				return
			}
			n, rest := leadingNumber(b[19:length])
			if n > 0 && len(rest) > 0 && rest[0] == 0 && !yield(n) {
				return
			}
			b = b[length:]
		}
	}
}

// openAt opens /proc/PID/NAME, or /proc/PID/NAME/TID/FILE, without making a string of it.
func (w *walker) openAt(pid int, name string, tid int, file string) int {
	if w.proc < 0 {
		return -1
	}
	p := appendNumber(w.path[:0], pid)
	p = append(append(p, '/'), name...)
	if file != "" {
		p = appendNumber(append(p, '/'), tid)
		p = append(append(p, '/'), file...)
	}
	return openRaw(w.proc, append(p, 0))
}
