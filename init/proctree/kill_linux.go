package proctree

import "golang.org/x/sys/unix"

// killTries is how often a kill tries to rush, and how often it tries to stop all processes.
const killTries = 12

// kill kills the processes that it finds.
//
// At first it kills only the children of the holder and their process groups, because that is
// quick: among hundreds of processes that fork, a holder has the CPU for less than a millisecond at
// a time. The children of the dead become children of the holder. If that does not end the job, it
// stops all processes and then walks the whole tree.
//
// It reaps nothing: the dead count against a limit on processes, and so they keep the job from
// forking more.
func (h *holder) kill() {
	for wait := range killTries {
		if h.walker.mark != 0 {
			break // most processes may be somebody else's children
		}
		if !h.rush() {
			return
		}
		_, _ = unix.Poll(nil, wait) // a killed process dies when it next runs
	}
	for wait := range killTries {
		if h.killer != nil || h.signal(unix.SIGSTOP) == 0 {
			break
		}
		_, _ = unix.Poll(nil, wait)
	}
	h.signal(unix.SIGKILL)
}

// rush kills the children of the holder, and reports whether any of them lives. If none does,
// nothing is alive below the holder.
func (h *holder) rush() (alive bool) {
	if h.killer != nil {
		h.killer.signal(unix.SIGKILL)
	}
	return h.walker.rush(unix.SIGKILL)
}

// signal signals all processes of the job by its own uid, if it has one, and then those that a walk
// finds. It returns how many of these run, 0 without a walk: after a signal to the uid only SIGKILL
// and SIGSTOP are followed by one.
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
