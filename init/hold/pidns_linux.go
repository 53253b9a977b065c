package hold

import (
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/proc"
	"golang.org/x/sys/unix"
)

// pidns holds the one run of a supervisor that is process 1 of a PID namespace: the namespace is the
// job's. kill(-1) signals all others in it in one instant, under the lock that every fork takes, so
// none slips past. It must never be used where we are not process 1: it would reach processes that
// are not ours.
type pidns struct {
	base
	isFrozen bool
}

// everyone is the pid with which kill(2) reaches all that the caller may signal, except itself.
const everyone = -1

func (p *pidns) Level() Level { return PIDNamespace }

func (p *pidns) Start(o *Order) (Progress, error) {
	if o.needsHelper() {
		return p.forkHelper(o, nil)
	}
	if err := p.forkCommand(o, o.sysProcAttr()); err != nil {
		return 0, execFailure(o, err)
	}
	return Executed, nil
}

func (p *pidns) Owns(pid int) bool { return descends(pid, p.main.Pid, 0) }

func (p *pidns) Procs() ([]int, error) {
	// A /proc of another PID namespace would name strangers.
	if self, err := os.Readlink("/proc/self"); err != nil || self != "1" {
		return nil, errors.New("/proc is not that of our PID namespace: who is left cannot be listed")
	}
	begun := time.Now()
	pids, err := proc.All()
	if err != nil {
		return nil, err
	}
	return proc.Alive(pids, p.isFrozen, begun)
}

func (p *pidns) Signal(sig syscall.Signal) error { return p.killAll(sig) }

func (p *pidns) Freeze() error {
	p.isFrozen = true
	return p.killAll(unix.SIGSTOP)
}

func (p *pidns) Thaw() error {
	p.isFrozen = false
	return p.killAll(unix.SIGCONT)
}

func (p *pidns) Frozen() bool { return p.isFrozen }

// HasStopped cannot tell: Freeze stops the processes too.
func (p *pidns) HasStopped(proc.Process) bool { return false }

func (p *pidns) Kill() error {
	err := p.killAll(unix.SIGKILL)
	p.killMain()
	return err
}

// Empty needs no /proc: whatever the job starts is below us, so we have no child then. What docker
// exec started is not our child and does not delay the end. The end of process 1 ends it too.
func (p *pidns) Empty() bool { return Childless() }

// Usage has the CPU time of all that we have waited for. We hold one run only, so that is its own.
func (p *pidns) Usage() Usage {
	var ru unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_CHILDREN, &ru); err != nil {
		return Usage{}
	}
	used := time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
	return Usage{CPU: &used}
}

func (p *pidns) Remove() error { return nil }

// killAll counts "there is nobody" as done.
func (p *pidns) killAll(sig syscall.Signal) error {
	if err := unix.Kill(everyone, sig); !errors.Is(err, unix.ESRCH) {
		return err
	}
	return nil
}

// Childless tells whether the kernel knows of no child of ours, and so of nothing below us.
func Childless() bool {
	err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	return errors.Is(err, unix.ECHILD)
}
