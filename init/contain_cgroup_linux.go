package supervisor

import (
	"errors"
	"syscall"

	"github.com/cginit/cginit/cgroup"
	"golang.org/x/sys/unix"
)

// cgroupRun holds a run in a cgroup of its own.
type cgroupRun struct {
	dir    cgroup.Dir
	watch  *cgroup.Watch
	clones bool // a process can be cloned into it
}

// signalRounds bounds how often a signal looks for those that were forked meanwhile.
const signalRounds = 5

func (c *cgroupRun) procs() ([]int, error) { return c.dir.Procs() }

// signal lists again until nobody is new: one that forks between the list and its signal leaves
// a child. What forks faster than that is asked in part.
func (c *cgroupRun) signal(sig syscall.Signal) error {
	var failed error
	signalled := map[int]bool{}
	for range signalRounds {
		pids, err := c.dir.Procs()
		if err != nil {
			return errors.Join(failed, err)
		}
		before := len(signalled)
		for _, pid := range pids {
			if signalled[pid] {
				continue
			}
			signalled[pid] = true
			if err := unix.Kill(pid, sig); err != nil && err != unix.ESRCH {
				failed = err // the others are to be asked all the same
			}
		}
		if len(signalled) == before {
			break
		}
	}
	return failed
}

func (c *cgroupRun) freeze() error { return c.dir.Freeze() }

func (c *cgroupRun) thaw() error { return c.dir.Thaw() }

func (c *cgroupRun) frozen() bool {
	e, err := c.dir.Events()
	return err == nil && e.Frozen
}

func (c *cgroupRun) kill() error { return c.dir.Kill() }

// empty: a cgroup that somebody has removed is empty too.
func (c *cgroupRun) empty() bool {
	e, err := c.dir.Events()
	return err == nil && !e.Populated || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV)
}

func (c *cgroupRun) account(r *Receipt) {
	s := c.dir.Stats()
	r.MemoryPeak, r.PidsPeak, r.OOMKills = s.MemoryPeak, s.PidsPeak, s.OOMKills
	if s.CPU != nil {
		ms := milliseconds(*s.CPU)
		r.CPU = &ms
	}
}

func (c *cgroupRun) remove() error {
	c.watch.Close()
	return c.dir.Remove()
}
