// Package proctree finds the processes below one, by /proc: what can be known of a tree where
// no cgroup holds it. It is a look at something that moves, never a proof.
package proctree

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Below lists the descendants of pid, parents before children. It needs
// CONFIG_PROC_CHILDREN (/proc/PID/task/TID/children, since Linux 3.5).
func Below(pid int) []int {
	var found []int
	for _, child := range children(pid) {
		found = append(found, child)
		found = append(found, Below(child)...)
	}
	return found
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

func children(pid int) []int {
	var pids []int
	files, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	for _, file := range files {
		data, _ := os.ReadFile(file)
		for field := range strings.FieldsSeq(string(data)) {
			if child, err := strconv.Atoi(field); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}
