package proc

import (
	"github.com/cginit/cginit/internal/rawfile"
	"golang.org/x/sys/unix"
)

// Children appends the children of a process to queue and returns it. threads is how many threads
// the process has, 0 if that is not known: with one thread there is one file to read. Without
// HasChildren it answers from the list of the last Scan. It appends nothing without HasProc.
func (r *Reader) Children(queue []Child, pid, threads int) []Child {
	switch {
	case !r.HasProc:
		return queue
	case r.HasChildren && threads == 1:
		return r.childrenOfThread(queue, pid, pid)
	case r.HasChildren:
		return r.childrenOfThreads(queue, pid)
	}
	for _, c := range r.all {
		if int(c.Parent) == pid {
			queue = append(queue, c)
		}
	}
	return queue
}

// childrenOfThreads appends what the children files of all threads of pid say.
func (r *Reader) childrenOfThreads(queue []Child, pid int) []Child {
	dir := r.openFile(pid, "task", 0, "")
	if dir < 0 {
		return queue
	}
	defer unix.Close(dir)
	for {
		n, err := unix.ReadDirent(dir, r.names[:])
		if err != nil || n <= 0 {
			return queue
		}
		for tid := range numbers(r.names[:n]) {
			queue = r.childrenOfThread(queue, pid, tid)
		}
	}
}

// childrenOfThread appends what the children file of one thread says: pids, each with a space
// after it.
func (r *Reader) childrenOfThread(queue []Child, pid, tid int) []Child {
	fd := r.openFile(pid, "task", tid, "children")
	if fd < 0 {
		return queue
	}
	defer unix.Close(fd)
	child := int32(0) // outside of the loop: a pid may lie across two reads
	for {
		n, err := unix.Read(fd, r.buf[:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return queue
		}
		for _, c := range r.buf[:n] {
			switch {
			case c >= '0' && c <= '9':
				child = 10*child + int32(c-'0')
			case child != 0:
				queue = append(queue, Child{Pid: child, Parent: int32(pid)})
				child = 0
			}
		}
	}
}

// Scan reads the parents of all processes for the calls of Children that follow. It does nothing
// if HasChildren is true, because then Children needs no such list.
func (r *Reader) Scan() {
	r.all = r.all[:0]
	if r.HasChildren || !r.HasProc {
		return
	}
	for pid := range r.pids {
		if p, ok := r.Stat(pid); ok {
			r.all = append(r.all, Child{Pid: int32(pid), Parent: int32(p.PPid)})
		}
	}
}

// pids yields the pids of all processes that /proc shows.
func (r *Reader) pids(yield func(pid int) bool) {
	if !r.HasProc {
		return
	}
	dir := openRaw(r.dir, append(r.path[:0], '.', 0))
	if dir < 0 {
		return
	}
	defer unix.Close(dir)
	for {
		n, err := unix.ReadDirent(dir, r.names[:])
		if err != nil || n <= 0 {
			return
		}
		for pid := range numbers(r.names[:n]) {
			if !yield(pid) {
				return
			}
		}
	}
}

// OwnThreads yields the ids of the threads of the calling process, as many as one read of the
// directory gives: more than a hundred. It yields nothing without /proc.
func OwnThreads(yield func(tid int) bool) {
	dir, err := rawfile.Open("/proc/self/task", unix.O_RDONLY)
	if err != nil {
		return
	}
	defer unix.Close(dir)
	var names [4096]byte
	n, _ := unix.ReadDirent(dir, names[:])
	for tid := range numbers(names[:max(n, 0)]) {
		if !yield(tid) {
			return
		}
	}
}
