package proc

import (
	"bytes"
	"time"
)

// clockTick is the unit of times in /proc: USER_HZ is 100 on every Linux architecture of Go.
const clockTick = 10 * time.Millisecond

// flagExiting is PF_EXITING of the kernel's include/linux/sched.h. /proc/PID/stat shows it.
const flagExiting = 0x4

// The numbers of the fields of /proc/PID/stat, counted from 1 as proc_pid_stat(5) does.
const (
	fieldPPid    = 4
	fieldGroup   = 5
	fieldSession = 6
	fieldFlags   = 9
	fieldThreads = 20
	fieldStart   = 22
	fieldBlocked = 32
	fieldIgnored = 33
	fieldCaught  = 34
)

// parseStat parses a /proc/PID/stat. It leaves Comm empty and returns it as a part of b instead,
// because a walk of a holder must not allocate memory.
func parseStat(b []byte) (p Process, comm []byte, ok bool) {
	// The name of the command is in parentheses and may hold any character, parentheses included.
	// So it ends at the last parenthesis of the file.
	begin, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if begin < 1 || end < begin || len(b) < end+4 {
		return p, nil, false
	}
	pid, rest := leadingNumber(b[:begin])
	if pid == 0 || len(rest) != 1 || b[end+1] != ' ' || b[end+3] != ' ' {
		return p, nil, false
	}
	p.Pid, p.State, comm = int(pid), b[end+2], b[begin+1:end]
	rest = b[end+4:]
	for field := fieldPPid; field <= fieldCaught; field++ {
		if len(rest) == 0 {
			return p, nil, false
		}
		length := bytes.IndexByte(rest, ' ')
		if length < 0 {
			length = len(rest)
		}
		n, _ := leadingNumber(rest[:length])
		p.set(field, n)
		rest = rest[min(length+1, len(rest)):]
	}
	return p, comm, true
}

// set sets what a field of /proc/PID/stat says. It ignores fields that Process does not have.
func (p *Process) set(field int, n uint64) {
	switch field {
	case fieldPPid:
		p.PPid = int(n)
	case fieldGroup:
		p.Group = int(n)
	case fieldSession:
		p.Session = int(n)
	case fieldFlags:
		p.Exiting = n&flagExiting != 0
	case fieldThreads:
		p.Threads = int(n)
	case fieldStart:
		p.Start = time.Duration(n) * clockTick
	case fieldBlocked:
		p.Blocked = n
	case fieldIgnored:
		p.Ignored = n
	case fieldCaught:
		p.Caught = n
	}
}

// leadingNumber returns the number that b begins with, 0 if it begins with none, and what follows.
func leadingNumber(b []byte) (n uint64, rest []byte) {
	for len(b) > 0 && b[0] >= '0' && b[0] <= '9' {
		n, b = 10*n+uint64(b[0]-'0'), b[1:]
	}
	return n, b
}
