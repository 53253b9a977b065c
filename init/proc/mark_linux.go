package proc

import (
	"bytes"
	"os"

	"golang.org/x/sys/unix"
)

// A mark is a number that a process passes on to everything that it starts. It is the soft limit
// RLIMIT_LOCKS, which no kernel heeds since Linux 2.4.25. Children inherit it, through an exec and a change
// of the user too, and everybody can read it (/proc/PID/limits, since Linux 2.6.24).

// rlimitLocks is RLIMIT_LOCKS on all platforms.
const rlimitLocks = 10

// SetMark marks this process and what it starts from now on. The error is EPERM if the hard limit is lower.
func SetMark(mark uint64) error {
	var limit unix.Rlimit
	if err := unix.Prlimit(0, rlimitLocks, nil, &limit); err != nil {
		return err
	}
	if limit.Max < mark {
		return unix.EPERM
	}
	limit.Cur = mark
	return unix.Prlimit(0, rlimitLocks, &limit, nil)
}

// HighestMark returns the highest mark that SetMark can set here.
func HighestMark() (uint64, error) {
	var limit unix.Rlimit
	err := unix.Prlimit(0, rlimitLocks, nil, &limit)
	return limit.Max, err
}

// Mark returns the mark of a process, 0 for one that is dead or has none.
func (r *Reader) Mark(pid int) uint64 {
	fd := r.openFile(pid, "limits", 0, "")
	if fd < 0 {
		return 0
	}
	n, err := unix.Read(fd, r.buf[:])
	unix.Close(fd)
	if err != nil || n <= 0 {
		return 0
	}
	_, after, _ := bytes.Cut(r.buf[:n], []byte("\nMax file locks"))
	mark, _ := leadingNumber(bytes.TrimLeft(after, " ")) // none for "unlimited"
	return mark
}

// Marked appends the processes that have a mark and live, without the calling one, as one look at /proc
// finds them.
func (r *Reader) Marked(queue []Child, mark uint64) []Child {
	self := os.Getpid()
	for pid := range r.pids {
		if pid == self || r.Mark(pid) != mark {
			continue
		}
		if p, ok := r.Stat(pid); ok && !p.IsDead() {
			queue = append(queue, Child{Pid: int32(pid), Parent: int32(p.PPid)})
		}
	}
	return queue
}
