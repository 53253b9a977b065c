package proctree

import (
	"github.com/cginit/cginit/init/proc"
	"golang.org/x/sys/unix"
)

// add puts the children of pid at the end of the queue. threads is how many it has, 0 if that
// is not known.
func (w *walker) add(pid, threads int) {
	switch {
	case w.HasProc:
		w.queue = w.Children(w.queue, pid, threads)
	case pid == w.self:
		w.addWaited()
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
			w.queue = append(w.queue, proc.Child{Pid: int32(pid), Parent: int32(w.self)})
		}
	}
}
