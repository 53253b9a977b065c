package proctree

import (
	"os"
	"strconv"
)

// Below lists the descendants of pid, parents before children, as a walk finds them; nothing
// where there is no /proc.
func Below(pid int) []int {
	w, err := newWalker()
	if err != nil {
		return nil
	}
	defer w.close()
	return w.below(pid)
}

// All lists every process of our PID namespace that /proc shows, our own left out.
func All() ([]int, error) {
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
		if pid, err := strconv.Atoi(name); err == nil && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
