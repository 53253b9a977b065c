package hold

import (
	"os"
	"syscall"

	"github.com/cginit/cginit/init/proc"
	"golang.org/x/sys/unix"
)

// base is what all containments have in common: the main process, and who is told of it.
type base struct {
	home     *Home
	listener Listener
	main     Main
	// ended says that the main process has been waited for.
	ended bool
	// isOrphaned says that the main process was left to us by a holder that was lost.
	isOrphaned bool
}

func (b *base) Main() Main { return b.main }

// Adopter is cginit itself, which is process 1 or a subreaper.
func (b *base) Adopter() int { return os.Getpid() }

// Abandon has nothing to give up: a start that we do ourselves is never pending.
func (b *base) Abandon() error { return nil }

// SignalMain signals a child of ours, whose pid is its own until we wait for it.
func (b *base) SignalMain(sig syscall.Signal, group bool) error {
	if group {
		return unix.Kill(-b.main.Pid, sig)
	}
	return unix.Kill(b.main.Pid, sig)
}

// killMain kills the main process wherever it has moved itself.
func (b *base) killMain() {
	if b.main.Pid > 0 && !b.ended {
		_ = unix.Kill(b.main.Pid, unix.SIGKILL)
	}
}

// started records the main process that has been forked, for [Home.Reaped].
func (b *base) started(pid int, ownSession bool) {
	b.main = Main{Pid: pid, Session: b.home.session}
	if ownSession {
		b.main.Session = pid
	}
	b.home.mains[pid] = b
}

// descends tells whether a process is the main process or descends from it, or from a holder (0:
// there is none). A process that has lost its parent meanwhile has another, so it is looked at
// again. A process that has ended since counts as a descendant.
func descends(pid, main, holder int) bool {
	const looks = 3
	if pid == 0 {
		return false
	}
	for range looks {
		p, err := proc.Read(pid)
		if err != nil {
			return true
		}
		for err == nil && p.PPid > 1 {
			if p.Pid == main || holder != 0 && p.PPid == holder {
				return true
			}
			p, err = proc.Read(p.PPid)
		}
		if err == nil {
			return false
		}
	}
	return false
}
