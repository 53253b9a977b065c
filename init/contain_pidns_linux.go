package supervisor

import (
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/proctree"
	"golang.org/x/sys/unix"
)

// pidns holds the one run of a supervisor that is process 1 of a PID namespace: the namespace
// is the job's. kill(-1) signals all others in it in one instant, under the lock that every
// fork takes, so none slips past. It must never be used where we are not process 1: it would
// reach what is not ours.
type pidns struct{ isFrozen bool }

const everyone = -1

func (p *pidns) procs() ([]int, error) {
	// A /proc of another PID namespace would name strangers.
	if self, err := os.Readlink("/proc/self"); err != nil || self != "1" {
		return nil, errors.New("/proc is not that of our PID namespace: who is left cannot be listed")
	}
	begun := time.Now()
	pids, err := proctree.All()
	if err != nil {
		return nil, err
	}
	return alive(pids, p.isFrozen, begun)
}

func (p *pidns) signal(sig syscall.Signal) error { return p.killAll(sig) }

func (p *pidns) freeze() error {
	p.isFrozen = true
	return p.killAll(unix.SIGSTOP)
}

func (p *pidns) thaw() error {
	p.isFrozen = false
	return p.killAll(unix.SIGCONT)
}

func (p *pidns) frozen() bool { return p.isFrozen }

func (p *pidns) kill() error { return p.killAll(unix.SIGKILL) }

// empty needs no /proc: whatever the job starts is below us, so we have no child then. What
// docker exec started is not ours and does not hold up the end; that ends it too.
func (p *pidns) empty() bool { return childless() }

func (p *pidns) account(r *Receipt) { r.CPU = childrenCPU() }

func (p *pidns) remove() error { return nil }

// killAll takes "there is nobody" for done.
func (p *pidns) killAll(sig syscall.Signal) error {
	if err := unix.Kill(everyone, sig); !errors.Is(err, unix.ESRCH) {
		return err
	}
	return nil
}

// childless: the kernel knows of no child of ours, and so of nothing below us.
func childless() bool {
	err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	return errors.Is(err, unix.ECHILD)
}

// childrenCPU is the CPU time, in milliseconds, of all that we have waited for: the run's and
// nobody else's, where we hold one run only.
func childrenCPU() *float64 {
	var ru unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_CHILDREN, &ru); err != nil {
		return nil
	}
	ms := milliseconds(time.Duration(ru.Utime.Nano() + ru.Stime.Nano()))
	return &ms
}
