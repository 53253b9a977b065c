package proctree

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/sys/unix"
)

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
