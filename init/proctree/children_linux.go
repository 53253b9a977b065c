package proctree

import (
	"github.com/cginit/cginit/init/proc"
	"golang.org/x/sys/unix"
)

// addChildren appends the children of pid to the queue. threads is how many threads pid has, 0 if
// that is not known. Without /proc it knows only the children of the walker itself.
func (w *walker) addChildren(pid, threads int) {
	switch {
	case pid < 1: // the parent of process 1, and of what has entered the PID namespace
	case w.HasProc:
		before := len(w.queue)
		w.queue = w.Children(w.queue, pid, threads)
		w.dropKnown(before)
	case pid == w.self:
		w.addWaited()
	}
}

const (
	pidLimit = 1 << 22 // PID_MAX_LIMIT: every pid is lower
	pidUsual = 1 << 15 // the limit of most kernels, unless somebody has raised it
)

// addWaited appends our own children to the queue without /proc. It asks the kernel of every pid
// whether we could wait for it, and of the unusual ones only if no usual one is a child.
func (w *walker) addWaited() {
	for pid := 2; pid < pidLimit; pid++ {
		if pid == pidUsual && len(w.queue) > 0 {
			return
		}
		if unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT|unix.WALL, nil) == nil {
			w.queue = append(w.queue, proc.Child{Pid: int32(pid), Parent: int32(w.self)})
		}
	}
}
