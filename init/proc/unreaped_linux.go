package proc

import (
	"bytes"
	"slices"
	"strconv"
	"syscall"

	"github.com/cginit/cginit/internal/rawfile"
)

// ChildrenAreDead tells whether a process has children and all of them are dead. Then nothing below it
// lives: the children of a dead process have another parent. If the process waits for its children and
// they stay all the same, a tracer has to wait for them first (ptrace(2)).
func ChildrenAreDead(pid int) bool {
	r := &Reader{}
	r.Open()
	defer r.Close()
	list := func() []Child {
		r.Scan()
		return r.Children(nil, pid, 0)
	}
	children := list()
	for _, c := range children {
		if p, ok := r.Stat(int(c.Pid)); !ok || !p.IsDead() {
			return false
		}
	}
	// One that died after the first list was read may have left a child.
	return len(children) > 0 && slices.Equal(children, list())
}

// ExitStatus returns how a dead process has ended, as wait4 would (the last field of /proc/PID/stat,
// since Linux 3.5). ok is false if the process lives or cannot be read. Without the right to trace the
// process the kernel shows 0.
func ExitStatus(pid int) (ws syscall.WaitStatus, ok bool) {
	var buf [1024]byte
	data, err := rawfile.Read("/proc/"+strconv.Itoa(pid)+"/stat", buf[:])
	if err != nil {
		return 0, false
	}
	p, _, ok := parseStat(data)
	if !ok || !p.IsDead() {
		return 0, false
	}
	data = bytes.TrimSpace(data)
	n, rest := leadingNumber(data[bytes.LastIndexByte(data, ' ')+1:])
	return syscall.WaitStatus(n), len(rest) == 0
}
