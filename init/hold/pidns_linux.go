package hold

import (
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/deliver"
	"github.com/cginit/cginit/init/proc"
	"golang.org/x/sys/unix"
)

// pidns holds the only run of a supervisor that is process 1: the whole PID namespace belongs to
// the job. kill(-1) signals all other processes in one instant, under the lock that every fork
// takes, so none escapes. pidns must never be used if we are not process 1, because kill(-1) would
// reach processes that are not ours.
type pidns struct {
	base
	isFrozen bool
}

// everyone is the pid with which kill(2) signals all processes that the caller may signal, except
// itself.
const everyone = -1

func (p *pidns) Level() Level { return PIDNamespace }

func (p *pidns) Start(o *Order) (Progress, error) { return p.forkMain(o, anywhere) }

func (p *pidns) Owns(pid int) (owns, known bool) { return descends(pid, p.main.Pid, 0) }

// SetMain refuses: the only run of a supervisor without a control socket has no NOTIFY_SOCKET.
func (p *pidns) SetMain(int) error { return errors.ErrUnsupported }

func (p *pidns) Procs() ([]int, error) {
	// The pids in a /proc of another PID namespace are those of other processes.
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

// HasStopped returns false: Freeze sends SIGSTOP, so the two cannot be told apart.
func (p *pidns) HasStopped(proc.Process) bool { return false }

func (p *pidns) Kill() error {
	err := p.killAll(unix.SIGKILL)
	p.killMain()
	return err
}

// Empty needs no /proc: all processes of the job descend from us, so none is left once we have no
// child. A process that docker exec has started is not our child. It does not delay the end, and
// dies with process 1.
func (p *pidns) Empty() bool { return Childless() }

func (p *pidns) Unreaped() (*syscall.WaitStatus, bool) {
	return p.unreapedMain(), proc.ChildrenAreDead(os.Getpid())
}

// Usage returns the CPU time of all children that we have waited for. We hold only one run, so that
// is its own.
func (p *pidns) Usage() Usage {
	var ru unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_CHILDREN, &ru); err != nil {
		return Usage{}
	}
	used := time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
	return Usage{CPU: &used}
}

func (p *pidns) Remove() error { return nil }

// killAll signals all other processes. It is not an error that there are none. Without CAP_KILL kill(-1)
// leaves out those of other users, and does not tell.
func (p *pidns) killAll(sig syscall.Signal) error {
	if !p.home.mayKill {
		pids, err := p.Procs()
		p.home.complain("list", err)
		defer deliver.Everyone(pids, sig)
	}
	if err := unix.Kill(everyone, sig); !errors.Is(err, unix.ESRCH) {
		return err
	}
	return nil
}

// Childless tells whether the kernel knows no child of ours, and so no process below us.
func Childless() bool {
	// Without __WALL children whose end sends no SIGCHLD would not count (for waitid, since Linux 4.7).
	err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT|unix.WALL, nil)
	return errors.Is(err, unix.ECHILD)
}
