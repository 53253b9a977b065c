package proctree

import (
	"os"
	"runtime"

	"github.com/cginit/cginit/init/deliver"
	"github.com/cginit/cginit/init/priority"
	"golang.org/x/sys/unix"
)

// listen does what the supervisor requests, and between the requests the walks of a freeze or a
// kill. When the supervisor is gone, it kills.
func (h *holder) listen() {
	runtime.LockOSThread()
	claimForListening()
	for wait := -1; ; {
		m, ok := h.next(wait)
		if ok && m.kind == requestKill {
			// The thread of watch may have the turn and no CPU.
			priority.Claim(os.Getpid())
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

// next waits for the next message, for at most wait milliseconds; -1 is without a limit. ok is false
// if none came. A supervisor that is gone counts as a request to kill.
func (h *holder) next(wait int) (m message, ok bool) {
	if n, err := unix.Poll(h.poll, wait); n <= 0 || err != nil {
		return m, false
	}
	n, err := unix.Read(holderSocket, m.bytes())
	if err == unix.EINTR {
		return m, false
	}
	if err != nil || n <= 0 {
		h.poll = nil // nothing more will come
		return message{kind: requestKill}, true
	}
	return m, true
}

// due returns in how many milliseconds the next walk is, -1 if there is none. It doubles the pause.
func (h *holder) due() int {
	if h.mode == modeRunning || h.mode == modeFrozen {
		return -1
	}
	wait := h.pause
	h.pause = min(2*h.pause, pauseMost)
	return wait
}

// obey does what a message requests. A kill is done by advance, which may have begun with it.
func (h *holder) obey(m message) {
	sig := unix.Signal(m.value)
	switch m.kind {
	case requestSignalMain:
		if h.main != 0 {
			_ = deliver.Signal(h.main, sig)
		}
	case requestSignal:
		h.signalOnce(sig)
	case requestFreeze:
		h.enter(modeFreezing)
	case requestThaw:
		h.enter(modeRunning)
		h.signalOnce(unix.SIGCONT)
	case requestMain:
		h.setMain(int(m.pid))
	case requestKill:
	}
}

// setMain makes another process below the holder the main process. While that is not a child of the
// holder, its parent waits for it.
func (h *holder) setMain(pid int) {
	h.main = pid
	if unix.Kill(pid, 0) == unix.ESRCH {
		h.main = 0
		h.tell(&message{kind: int64(MainGone), pid: int64(pid)})
	}
}

// enter changes the mode. Nothing follows modeKilling.
func (h *holder) enter(m mode) {
	if h.mode != modeKilling {
		h.mode, h.pause = m, pauseLeast
	}
}

// advance does the next step of a freeze or a kill, if there is one.
func (h *holder) advance() {
	select {
	case <-h.urgent:
		h.enter(modeKilling)
	default:
	}
	switch h.mode {
	case modeRunning, modeFrozen:
	case modeFreezing:
		running := h.signal(unix.SIGSTOP)
		if running == 0 {
			running = h.signal(unix.SIGSTOP) // one walk can miss some
		}
		if running == 0 {
			h.mode = modeFrozen
			h.tell(&message{kind: int64(Frozen)})
		}
	case modeKilling:
		h.kill()
	}
}
