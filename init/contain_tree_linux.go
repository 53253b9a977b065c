package supervisor

import (
	"os"
	"syscall"

	"github.com/cginit/cginit/init/proctree"
	"golang.org/x/sys/unix"
)

// tree holds the one run of a supervisor that is neither process 1 nor has a cgroup: we are
// the subreaper of all that it starts, so nothing leaves the tree below us. A kill finds what
// a walk finds; it is repeated until wait4 says that we have no child left, which is the
// kernel's word that nothing is left below us.
type tree struct{ isFrozen bool }

func (t *tree) procs() ([]int, error) {
	var alive []int
	for _, p := range living(proctree.Below(os.Getpid())) {
		alive = append(alive, p.pid)
	}
	return alive, nil
}

func (t *tree) signal(sig syscall.Signal) error {
	var err error
	for _, pid := range proctree.Below(os.Getpid()) {
		if e := unix.Kill(pid, sig); e != nil && e != unix.ESRCH {
			err = e
		}
	}
	return err
}

// freeze stops all that a walk finds, until two walks find the same number or it is plain that
// they never will: then the kill, which is repeated, must do without a list that holds still.
func (t *tree) freeze() error {
	t.isFrozen = true
	const walks = 20
	before := -1
	for range walks {
		pids, err := t.procs()
		if err != nil || len(pids) == before {
			return err
		}
		before = len(pids)
		if err := t.signal(unix.SIGSTOP); err != nil {
			return err
		}
	}
	return nil
}

func (t *tree) thaw() error {
	t.isFrozen = false
	return t.signal(unix.SIGCONT)
}

func (t *tree) frozen() bool { return t.isFrozen }

func (t *tree) kill() error { return t.signal(unix.SIGKILL) }

func (t *tree) empty() bool { return childless() }

func (t *tree) account(r *Receipt) { r.CPU = childrenCPU() }

func (t *tree) remove() error { return nil }
