package hold

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/cginit/cginit/cgroup"
	"github.com/cginit/cginit/init/deliver"
	"github.com/cginit/cginit/init/proc"
	"github.com/cginit/cginit/internal/rawfile"
	"golang.org/x/sys/unix"
)

// cgroupRun holds a run in its own cgroup.
type cgroupRun struct {
	base
	dir     cgroup.Dir
	watch   cgroup.Watch
	watchID int32
	// isInner says that the cgroup is inside that of another run.
	isInner bool
	// kill is a descriptor of cgroup.kill; -1: the kernel has no such file.
	kill int
	// wasKilled says that Kill has been called.
	wasKilled bool
}

// signalRounds bounds how often Signal looks for processes that were forked meanwhile.
const signalRounds = 5

func (c *cgroupRun) Level() Level { return Cgroup }

// Start forks the main process into the cgroup (CLONE_INTO_CGROUP, since Linux 5.7), or has it join the
// cgroup where that is refused. Without CAP_SYS_ADMIN the default seccomp profiles of Docker and containerd
// answer ENOSYS to clone3. Linux 6.14 to 7.2 kill such a child at birth if our own cgroup was ever killed. The
// first start finds out.
func (c *cgroupRun) Start(o *Order) (Progress, error) {
	if c.canClone() {
		progress, err := c.startInside(o)
		if !errors.Is(err, errNoClone) {
			return progress, err
		}
		c.home.clones = false
	}
	return c.startJoining(o)
}

// startInside forks the main process into the cgroup.
func (c *cgroupRun) startInside(o *Order) (Progress, error) {
	dir, err := rawfile.Open(string(c.dir), unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return 0, err
	}
	defer unix.Close(dir)
	return c.forkMain(o, birthplace{cgroup: dir, join: -1})
}

// startJoining forks the main process, and has it join the cgroup before it does anything else.
func (c *cgroupRun) startJoining(o *Order) (Progress, error) {
	procs, err := c.dir.OpenJoin()
	if err != nil {
		return 0, err
	}
	defer procs.Close()
	return c.forkMain(o, birthplace{cgroup: -1, join: int(procs.Fd())})
}

// canClone tells whether the main process can be born in the cgroup. It must not be while a cgroup above is
// frozen: it would stand still with copies of all our descriptors, such as the guardian's pipe. Any process
// with the right to write there can freeze a cgroup inside that of a job at any moment, so what starts there
// joins, and has closed them by then.
func (c *cgroupRun) canClone() bool {
	return c.home.clones && !c.isInner && !cgroup.IsFreezing(c.home.freeze)
}

func (c *cgroupRun) SetMain(pid int) error { return c.follow(c, pid) }

func (c *cgroupRun) expect(pid int) error {
	c.home.mains[pid] = &c.base
	return nil
}

func (c *cgroupRun) seek(int) bool { return false }

func (c *cgroupRun) Procs() ([]int, error) { return c.dir.Procs() }

// Owns compares the last two names of the cgroup's path only, because the process's path and ours
// can be relative to different cgroup namespaces.
func (c *cgroupRun) Owns(pid int) (owns, known bool) {
	path, err := proc.Cgroup(pid)
	if err != nil {
		return false, false
	}
	place := filepath.Join(filepath.Base(filepath.Dir(string(c.dir))), filepath.Base(string(c.dir)))
	return strings.Contains(path+"/", "/"+place+"/"), true
}

// Signal lists the processes again until there is no new one, because a process that forks between
// the list and its signal leaves a child. Processes that fork faster than signalRounds rounds are
// signalled in part.
func (c *cgroupRun) Signal(sig syscall.Signal) error {
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
			if err := deliver.Signal(pid, sig); err != nil && err != unix.ESRCH {
				failed = err // the others still get the signal
			}
		}
		if len(signalled) == before {
			break
		}
	}
	return failed
}

func (c *cgroupRun) Freeze() error { return c.dir.Freeze() }

func (c *cgroupRun) Thaw() error { return c.dir.Thaw() }

func (c *cgroupRun) Frozen() bool {
	e, err := c.watch.Events()
	return err == nil && e.Frozen
}

func (c *cgroupRun) HasStopped(p proc.Process) bool { return p.IsStopped() }

// Kill also kills a main process that has moved itself out of the cgroup. What outlives the first kill
// is killed by pid as well, which is slower: a process whose first thread has ended must be.
func (c *cgroupRun) Kill() error {
	_, err := unix.Write(c.kill, []byte("1"))
	if err != nil {
		err = c.dir.Kill()
	}
	if err == nil && c.wasKilled || errors.Is(err, unix.EPERM) {
		err = c.dir.KillEach(deliver.Signal)
	}
	c.wasKilled = true
	c.killMain()
	return err
}

// Empty also returns true if somebody has removed the cgroup.
func (c *cgroupRun) Empty() bool {
	e, err := c.watch.Events()
	return err == nil && !e.Populated || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV)
}

func (c *cgroupRun) Unreaped() (*syscall.WaitStatus, bool) { return c.unreapedMain(), c.Empty() }

func (c *cgroupRun) Usage() Usage {
	s := c.dir.Stats(c.home.granted)
	return Usage{CPU: s.CPU, MemoryPeak: s.MemoryPeak, PidsPeak: s.PidsPeak, OOMKills: s.OOMKills}
}

func (c *cgroupRun) Remove() error {
	c.release()
	c.watch.Close()
	unix.Close(c.kill)
	c.kill = -1
	delete(c.home.watched, c.watchID)
	return c.dir.Remove()
}
