package hold

import (
	"os"
	"syscall"

	"github.com/cginit/cginit/init/deliver"
	"github.com/cginit/cginit/init/proc"
	"golang.org/x/sys/unix"
)

// base is the part that all containments share: the main process and the listener.
type base struct {
	home     *Home
	listener Listener
	main     Main
	// ended says that wait4 has returned the main process.
	ended bool
	// named is the main process, if the run has named it (see follow). former was it before.
	named, former *named
	as            follower // the containment that this is the base of, once the run has named a process
	// isOrphaned says that the main process became our child when its holder was lost.
	isOrphaned bool
}

func (b *base) Main() Main { return b.main }

// Adopter returns our own pid: we are process 1 or a subreaper.
func (b *base) Adopter() int { return os.Getpid() }

// Abandon does nothing, because a start that we do ourselves is never pending.
func (b *base) Abandon() error { return nil }

// SignalMain signals our child or its group. Its pid cannot belong to another process until we wait
// for it. Right after the fork there may be no group yet.
func (b *base) SignalMain(sig syscall.Signal, group bool) error {
	if b.named != nil {
		err := unix.PidfdSendSignal(b.named.fd, sig, nil, 0)
		if err == unix.EPERM { // it lives, so the pid is still its own
			err = deliver.Signal(b.named.Pid, sig)
		}
		return err
	}
	if group {
		if err := deliver.Signal(-b.main.Pid, sig); err != unix.ESRCH {
			return err
		}
	}
	return deliver.Signal(b.main.Pid, sig)
}

// unreapedMain returns how the main process has ended, if it is dead and was not waited for; nil if not, or if
// the kernel does not show it to us.
func (b *base) unreapedMain() *syscall.WaitStatus {
	if b.main.Pid == 0 || b.ended {
		return nil
	}
	ws, ok := proc.ExitStatus(b.main.Pid)
	if !ok || ws == 0 && !mayTrace(b.main.Pid) { // then 0 is shown whatever it was
		return nil
	}
	return &ws
}

// mayTrace tells whether we may trace a process, as far as users decide it.
func mayTrace(pid int) bool {
	uid, err := proc.UID(pid)
	return hasCapability(unix.CAP_SYS_PTRACE) || err == nil && int(uid) == os.Getuid()
}

// killMain kills the main process, wherever it has moved itself.
func (b *base) killMain() {
	if b.main.Pid > 0 && !b.ended {
		_ = b.SignalMain(unix.SIGKILL, false)
	}
}

// started records the main process that was forked, so that [Home.Reaped] finds it.
func (b *base) started(pid int, ownSession bool) {
	b.main = Main{Pid: pid, Session: b.home.session}
	if ownSession {
		b.main.Session = pid
	}
	b.home.mains[pid] = b
}

// descends tells whether a process is the main process, or descends from it or from a child of the
// holder (0: there is none). It looks up to three times, because a process can lose its parent
// between two reads. known is false if the process has ended meanwhile.
func descends(pid, main, holder int) (does, known bool) {
	const looks = 3
	for range looks {
		p, err := proc.Read(pid)
		if err != nil {
			return false, false
		}
		for err == nil && p.PPid > 1 {
			if p.Pid == main || holder != 0 && p.PPid == holder {
				return true, true
			}
			p, err = proc.Read(p.PPid)
		}
		if err == nil {
			break
		}
	}
	return false, true
}
