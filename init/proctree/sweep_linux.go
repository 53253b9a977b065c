package proctree

import (
	"github.com/cginit/cginit/init/proc"
	"golang.org/x/sys/unix"
)

// Sweep is for the supervisor that has lost a holder (see [Tree.Lost]): the kernel has made
// what it held the supervisor's children, and where the supervisor is neither process 1 nor a
// subreaper, somebody else's. Sweep signals every child of the caller that isOurs does not
// tell to be a holder or another process of the supervisor's own, and all that is below those,
// and returns who they are. Again, with SIGKILL, until none is left.
//
// It must be called by whoever waits for the children, so that no pid becomes another's
// meanwhile. It does not know which of several lost holders a process was held by.
func Sweep(sig unix.Signal, isOurs func(pid int) bool) ([]int, error) {
	w, err := newWalker()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	w.Scan()
	w.add(w.self, 0)
	var found []int
	for _, n := range append([]proc.Child(nil), w.queue...) {
		pid := int(n.Pid)
		if isOurs(pid) || !lives(pid) {
			continue
		}
		signal(n, sig)
		w.walk(pid, sig)
		found = append(found, pid)
		for _, below := range w.queue {
			found = append(found, int(below.Pid))
		}
	}
	return found, nil
}
