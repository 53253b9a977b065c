package proctree

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// listen does what the supervisor asks, and in between what a freeze or a kill still has to
// do. When the supervisor is gone, that is a kill.
func (h *holder) listen() {
	runtime.LockOSThread()
	claimForListening()
	for {
		m, ok := h.next()
		if ok && m.kind == askKill {
			claimCPU(os.Getpid()) // watch's thread: it may have the turn, and no CPU
		}
		h.turn <- struct{}{}
		if ok {
			h.obey(m)
		}
		h.advance()
		<-h.turn
	}
}

// next waits for the next message, and no longer than until the next walk is due.
func (h *holder) next() (m message, ok bool) {
	h.turn <- struct{}{}
	wait := -1
	if h.mode == freezing || h.mode == killing {
		wait = h.pause
		h.pause = min(2*h.pause, pauseMost)
	}
	<-h.turn
	if n, err := unix.Poll(h.poll, wait); n <= 0 || err != nil {
		return m, false
	}
	n, err := unix.Read(socket, m.bytes())
	if err == unix.EINTR {
		return m, false
	}
	if err != nil || n <= 0 {
		h.poll = nil // there is nothing more to hear
		return message{kind: askKill}, true
	}
	return m, true
}

// claimCPU puts a thread of ours, 0 for this one, before hundreds of processes that fork. That
// takes CAP_SYS_NICE; without, a kill takes longer. Where the kernel divides the CPU by
// sessions (sched_autogroup), being nice counts within ours only, hence the real-time class.
func claimCPU(tid int) {
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 1}
	if unix.SchedSetAttr(tid, &attr, 0) != nil {
		_ = unix.Setpriority(unix.PRIO_PROCESS, tid, -20)
	}
}

// claimForListening does it for all of our threads but watch's. They are idle but for the
// supervisor's requests; any of them may be needed to pass one on.
func claimForListening() {
	claimCPU(0)
	dir, err := unix.Open("/proc/self/task", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(dir)
	var names [4096]byte
	n, _ := unix.ReadDirent(dir, names[:])
	for tid := range numbers(names[:max(n, 0)]) {
		if tid != os.Getpid() {
			claimCPU(tid)
		}
	}
}

// enter begins something else, but nothing comes after a kill.
func (h *holder) enter(m mode) {
	if h.mode != killing {
		h.mode, h.walks, h.pause = m, 0, pauseLeast
	}
}

// advance does the next walk of a freeze or a kill, where there is one.
func (h *holder) advance() {
	switch h.mode {
	case running, frozen:
	case freezing:
		if h.signal(unix.SIGSTOP).running == 0 {
			h.mode = frozen
			h.tell(&message{kind: int64(Frozen)})
		}
	case killing:
		h.kill()
	}
	h.walks++
}

// kill has all that it finds stand still, and then kills it. Nothing is reaped meanwhile: where
// there is a limit on processes, the dead count against those that would take their place.
func (h *holder) kill() {
	if h.killer == nil {
		for wait := range freezeWalks {
			if h.signal(unix.SIGSTOP).running == 0 {
				break
			}
			_, _ = unix.Poll(nil, wait) // a process stops when it next runs
		}
	}
	h.signal(unix.SIGKILL)
}

// signal reaches all of the job that can be reached at once, and then what a walk finds.
func (h *holder) signal(sig unix.Signal) tally {
	if h.killer == nil {
		return h.walker.walk(h.walker.self, sig)
	}
	h.killer.signal(sig)
	if sig == unix.SIGKILL || sig == unix.SIGSTOP {
		return h.walker.walk(h.walker.self, sig)
	}
	return tally{}
}
