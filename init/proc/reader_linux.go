package proc

import (
	"encoding/binary"
	"os"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Reader reads /proc for a walk of a process tree. Its methods allocate no memory, except for the
// queue of the caller and the list of Scan when they grow. Use it by a pointer: it has buffers of
// 8 KiB.
type Reader struct {
	// HasProc is true if /proc is mounted and belongs to our PID namespace. Open sets it.
	HasProc bool
	// HasChildren is true if the kernel has the files /proc/PID/task/TID/children, which needs
	// CONFIG_PROC_CHILDREN. Otherwise Children answers from the list of Scan. Open sets it, and
	// tests clear it.
	HasChildren bool

	dir   int     // a descriptor of /proc, if HasProc
	all   []Child // what Scan has found
	path  [64]byte
	buf   [4096]byte
	names [4096]byte
	tids  [1024]byte // the threads of a process, while names may be in use
}

// Child is a process and its parent, both as pids.
type Child struct{ Pid, Parent int32 }

// Open opens /proc. It leaves HasProc false, and is no error, if there is none or if it belongs to
// another PID namespace, whose pids would be those of strangers.
func (r *Reader) Open() {
	r.HasProc, r.HasChildren = false, false
	fd, err := unix.Open("/proc", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	r.dir = fd
	n, err := unix.Readlinkat(fd, "self", r.buf[:])
	self := os.Getpid()
	if pid, rest := leadingNumber(r.buf[:max(n, 0)]); err != nil || len(rest) > 0 || int(pid) != self {
		unix.Close(fd)
		return
	}
	r.HasProc = true
	if fd := r.openFile(self, "task", self, "children"); fd >= 0 {
		r.HasChildren = true
		unix.Close(fd)
	}
}

// Close closes the descriptor of /proc.
func (r *Reader) Close() {
	if r.HasProc {
		r.HasProc = false
		unix.Close(r.dir)
	}
}

// Stat reads one process and leaves Comm empty. ok is false for a process that does not exist, and
// for all processes if HasProc is false. If the first thread has ended and others live, State is that of
// one of those.
func (r *Reader) Stat(pid int) (p Process, ok bool) {
	p, ok = r.stat(r.openFile(pid, "stat", 0, ""))
	if ok && p.State == 'Z' && p.Threads > 1 {
		p.State = r.stateOfThreads(pid)
	}
	return p, ok
}

// stat parses a stat file and closes its descriptor; -1 is none.
func (r *Reader) stat(fd int) (p Process, ok bool) {
	if fd < 0 {
		return Process{}, false
	}
	defer unix.Close(fd)
	n, err := unix.Read(fd, r.buf[:])
	if err != nil {
		return Process{}, false
	}
	p, _, ok = parseStat(r.buf[:n])
	return p, ok
}

// stateOfThreads returns the state of a thread that lives, of a process whose first thread has ended; 'Z' if
// there is none. A stop of the process shows there alone.
func (r *Reader) stateOfThreads(pid int) byte {
	dir := r.openFile(pid, "task", 0, "")
	if dir < 0 {
		return 'Z'
	}
	defer unix.Close(dir)
	n, _ := unix.ReadDirent(dir, r.tids[:])
	for tid := range numbers(r.tids[:max(n, 0)]) {
		if t, ok := r.stat(r.openFile(pid, "task", tid, "stat")); ok && t.State != 'Z' && t.State != 'X' {
			return t.State
		}
	}
	return 'Z'
}

// openFile opens /proc/PID/NAME, or /proc/PID/NAME/TID/FILE if there is a file. It makes no string of
// the path, which would allocate memory. It returns -1 for any error.
func (r *Reader) openFile(pid int, name string, tid int, file string) int {
	if !r.HasProc {
		return -1
	}
	path := strconv.AppendInt(r.path[:0], int64(pid), 10)
	path = append(append(path, '/'), name...)
	if file != "" {
		path = strconv.AppendInt(append(path, '/'), int64(tid), 10)
		path = append(append(path, '/'), file...)
	}
	return openRaw(r.dir, append(path, 0))
}

// openRaw opens a path that ends with NUL for reading, relative to dir, as openat(2) does.
// unix.Openat would allocate memory. It returns -1 for any error.
func openRaw(dir int, path []byte) int {
	for {
		fd, _, errno := syscall.Syscall6(unix.SYS_OPENAT, uintptr(dir), uintptr(unsafe.Pointer(&path[0])),
			unix.O_RDONLY|unix.O_CLOEXEC, 0, 0, 0)
		switch errno {
		case 0:
			return int(fd)
		case unix.EINTR:
			continue
		}
		return -1
	}
}

// numbers yields the names that are numbers from the directory entries that getdents64(2) has
// written to b.
func numbers(b []byte) func(yield func(int) bool) {
	// An entry is an inode and an offset of 8 bytes each, the length of the entry of 2 bytes, a
	// type of 1 byte, and the name with a NUL after it.
	const lengthAt, nameAt = 16, 19
	return func(yield func(int) bool) {
		for len(b) > nameAt {
			length := int(binary.NativeEndian.Uint16(b[lengthAt:]))
			if length < nameAt || length > len(b) {
				return
			}
			n, rest := leadingNumber(b[nameAt:length])
			if n > 0 && len(rest) > 0 && rest[0] == 0 && !yield(int(n)) {
				return
			}
			b = b[length:]
		}
	}
}
