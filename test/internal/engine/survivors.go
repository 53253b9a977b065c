package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// process is a process as the host sees it. The host sees the processes of every container.
type process struct {
	pid int
	dir string
}

func (p process) String() string {
	cmdline, _ := os.ReadFile(filepath.Join(p.dir, "cmdline"))
	return fmt.Sprintf("%d %s", p.pid, strings.ReplaceAll(strings.TrimRight(string(cmdline), "\x00"), "\x00", " "))
}

func processes() []process {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	all := make([]process, 0, len(dirs))
	for _, dir := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		all = append(all, process{pid, dir})
	}
	return all
}

// marked returns the processes that have mark in their command line or their environment. A process
// inherits its environment from the one that started it, so this finds daemons too.
func marked(mark string) (found []process) {
	for _, p := range processes() {
		for _, file := range []string{"cmdline", "environ"} {
			text, _ := os.ReadFile(filepath.Join(p.dir, file))
			if strings.Contains(string(text), mark) {
				found = append(found, p)
				break
			}
		}
	}
	return found
}

// Running looks for the container's process with exactly this command line. It returns the state as in
// proc(5), 0 if there is no such process, and whether it is in the foreground of its terminal.
func (b *Box) Running(command string) (state byte, foreground bool) {
	for _, p := range marked(b.Mark) {
		if _, cmdline, _ := strings.Cut(p.String(), " "); cmdline != command {
			continue
		}
		stat, _ := os.ReadFile(filepath.Join(p.dir, "stat"))
		_, rest, _ := strings.Cut(string(stat), ") ")
		if f := strings.Fields(rest); len(f) > 5 {
			return f[0][0], f[2] == f[5]
		}
	}
	return 0, false
}
