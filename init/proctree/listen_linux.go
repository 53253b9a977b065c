package proctree

import (
	"os"
	"runtime"

	"github.com/cginit/cginit/init/proc"
	"golang.org/x/sys/unix"
)

// listen does what the supervisor asks, and in between what a freeze or a kill still has to
// do. When the supervisor is gone, that is a kill.
func (h *holder) listen() {
	runtime.LockOSThread()
	claimForListening()
	for wait := -1; ; {
		m, ok := h.next(wait)
		if ok && m.kind == askKill {
			claimCPU(os.Getpid()) // watch's thread: it may have the turn, and no CPU
			h.urgent <- struct{}{}
		}
		h.turn <- struct{}{}
		if ok {
			h.obey(m)
		}
		h.advance()
		wait = h.due()
		<-h.turn
	}
}

// next waits for the next message, and no longer than these milliseconds.
func (h *holder) next(wait int) (m message, ok bool) {
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

// due is in how many milliseconds the next walk is; -1: there is none.
func (h *holder) due() int {
	if h.mode == running || h.mode == frozen {
		return -1
	}
	wait := h.pause
	h.pause = min(2*h.pause, pauseMost)
	return wait
}

func (h *holder) obey(m message) {
	sig := unix.Signal(m.value)
	switch m.kind {
	case askSignalMain:
		if h.main != 0 {
			_ = unix.Kill(h.main, sig)
		}
	case askSignal:
		h.ask(sig)
	case askFreeze:
		h.enter(freezing)
	case askThaw:
		h.enter(running)
		h.ask(unix.SIGCONT)
	case askKill: // is urgent, and may have begun
	}
}

// claimCPU puts a thread of ours, 0 for this one, before hundreds of processes that fork. That
// takes CAP_SYS_NICE. Where the kernel divides the CPU by sessions (sched_autogroup), being nice
// counts within ours only, hence the real-time class. Without the capability it gets no more of
// the CPU than any of them, but at least at once, for it asks for short slices (since Linux 6.12).
func claimCPU(tid int) {
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 1}
	if unix.SchedSetAttr(tid, &attr, 0) == nil || unix.Setpriority(unix.PRIO_PROCESS, tid, -20) == nil {
		return
	}
	if nice, err := unix.Getpriority(unix.PRIO_PROCESS, tid); err == nil {
		attr = unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL, Nice: int32(20 - nice), Runtime: shortest}
		_ = unix.SchedSetAttr(tid, &attr, 0)
	}
}

// shortest is the least that a slice of the CPU's time can be, in nanoseconds.
const shortest = 100_000

// claimForListening does it for all of our threads but watch's. They are idle but for the
// supervisor's requests; any of them may be needed to pass one on.
func claimForListening() {
	claimCPU(0)
	for tid := range proc.OwnThreads {
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
	select {
	case <-h.urgent:
		h.enter(killing)
	default:
	}
	switch h.mode {
	case running, frozen:
	case freezing:
		if h.signal(unix.SIGSTOP) == 0 {
			h.mode = frozen
			h.tell(&message{kind: int64(Frozen)})
		}
	case killing:
		h.kill()
	}
	h.walks++
}

// kill kills what it finds, and at first only our own children and their process groups, because
// that is quick: among hundreds that fork, a holder has the CPU for less than a millisecond now
// and then. The children of the dead become ours. Only if that is not all does it look further
// down, and has everything stand still first.
//
// Nothing is reaped meanwhile: where there is a limit on processes, the dead count against
// those that would take their place.
func (h *holder) kill() {
	for wait := range rushes {
		if !h.rush() {
			return
		}
		_, _ = unix.Poll(nil, wait) // what is killed dies when it next runs
	}
	for wait := range rushes {
		if h.killer != nil || h.signal(unix.SIGSTOP) == 0 {
			break
		}
		_, _ = unix.Poll(nil, wait)
	}
	h.signal(unix.SIGKILL)
}

// rush kills our own children, and tells whether any lives: if not, there is nothing below us
// any more.
func (h *holder) rush() (alive bool) {
	if h.killer != nil {
		h.killer.signal(unix.SIGKILL)
	}
	return h.walker.rush(unix.SIGKILL)
}

// signal reaches all of the job that can be reached at once, and then what a walk finds. What
// it returns is a walk's, where there is one.
func (h *holder) signal(sig unix.Signal) (running int) {
	if h.killer == nil {
		return h.walker.walk(h.walker.self, sig)
	}
	h.killer.signal(sig)
	if sig == unix.SIGKILL || sig == unix.SIGSTOP {
		return h.walker.walk(h.walker.self, sig)
	}
	return 0
}
