package proc

import (
	"os"
	"strconv"
)

// belowMost bounds how many processes Below looks at: a line of processes that fork and exit could
// lead it on for ever.
const belowMost = 1 << 16

// Below returns the pids of the descendants of a process, parents before children, zombies
// included. Zombies that are children of the calling process are left out. It returns nil if there
// is no /proc of our PID namespace.
func Below(pid int) []int {
	r := &Reader{}
	r.Open()
	defer r.Close()
	return r.Below(pid)
}

// Below returns the pids of the descendants of a process as the function Below does. It allocates
// the list.
func (r *Reader) Below(root int) []int {
	if !r.HasProc {
		return nil
	}
	self := os.Getpid()
	r.Scan()
	queue := r.Children(nil, root, 0)
	var pids []int
	for i := 0; i < len(queue) && i < belowMost; i++ {
		c := queue[i]
		p, ok := r.Stat(int(c.Pid))
		if int(c.Parent) == self {
			// A child of ours keeps its pid until we wait for it, so its parent need not be checked.
			if ok && p.IsDead() {
				continue
			}
		} else if !ok || p.PPid != int(c.Parent) && p.PPid != root {
			continue // the parent or the process itself has ended since, and the pid may be another's
		}
		pids = append(pids, int(c.Pid))
		if !p.IsDead() { // the children of a dead process have another parent by now
			queue = r.Children(queue, int(c.Pid), p.Threads)
		}
	}
	return pids
}

// All returns the pids of all processes that /proc shows, except the calling process.
func All() ([]int, error) {
	pids, err := list()
	if err != nil {
		return nil, err
	}
	others := pids[:0]
	for _, pid := range pids {
		if pid != os.Getpid() {
			others = append(others, pid)
		}
	}
	return others, nil
}

// list returns the pids of all processes that /proc shows.
func list() ([]int, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
