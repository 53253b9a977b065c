package pod

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Process is one as /proc shows it.
type Process struct {
	Pid     int // on the host
	Inner   int // in its own PID namespace
	Parent  int
	Session int
	State   byte
	Name    string // of the program, 15 characters of it
	Command []string
}

// read returns a process; ok is false if there is none any more.
func read(pid int) (p Process, ok bool) {
	dir := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(dir + "/stat")
	command, _ := os.ReadFile(dir + "/cmdline")
	if err != nil {
		return p, false
	}
	// The name stands in parentheses, and may contain anything.
	begin, end := bytes.IndexByte(stat, '(')+1, bytes.LastIndexByte(stat, ')')
	fields := strings.Fields(string(stat[end+1:]))
	p = Process{Pid: pid, Inner: pid, State: fields[0][0], Name: string(stat[begin:end])}
	p.Parent, _ = strconv.Atoi(fields[1])
	p.Session, _ = strconv.Atoi(fields[3])
	p.Command = strings.Split(strings.TrimSuffix(string(command), "\x00"), "\x00")
	return p, true
}

// inner returns the pid that a process has in its own PID namespace.
func inner(pid int) int {
	ids := strings.Fields(Status(pid, "NSpid"))
	if len(ids) == 0 {
		return pid
	}
	n, _ := strconv.Atoi(ids[len(ids)-1])
	return n
}

// Status returns a field of /proc/PID/status.
func Status(pid int, field string) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, after, _ := strings.Cut(string(text), "\n"+field+":")
	line, _, _ := strings.Cut(after, "\n")
	return strings.TrimSpace(line)
}

func everyPid() (pids []int) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

func children(parent int) (pids []int) {
	for _, pid := range everyPid() {
		if p, ok := read(pid); ok && p.Parent == parent {
			pids = append(pids, pid)
		}
	}
	return pids
}

// describe names a process for a person.
func describe(pid int) string {
	p, _ := read(pid)
	state := "process"
	if p.State == 'Z' {
		state = "zombie"
	}
	return fmt.Sprintf("%s %d (%c, parent %d) %s", state, pid, p.State, p.Parent, strings.Join(p.Command, " "))
}

// Tree returns the processes of the pod that run program, in whatever generation.
func (p *Pod) Tree(program string) (tree []Process) {
	pids := everyPid()
	if p.cgroup != "" {
		pids = pidsBelow(p.cgroup)
	}
	space := pidNamespace(p.Pid)
	for _, pid := range pids {
		q, ok := read(pid)
		if ok && q.Name == program && (p.cgroup != "" || pidNamespace(pid) == space) {
			q.Inner = inner(pid)
			tree = append(tree, q)
		}
	}
	return tree
}

// Guardians returns the processes of cginit's own beside the supervisor.
func (p *Pod) Guardians() []Process {
	return slices.DeleteFunc(p.Tree("cginit"), func(q Process) bool { return q.Pid == p.Pid || q.Parent != p.Pid })
}

func pidNamespace(pid int) string {
	link, _ := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid))
	return link
}

// Zombies returns how many children of cginit are waiting to be reaped.
func (p *Pod) Zombies() (n int) {
	for _, pid := range children(p.Pid) {
		if q, ok := read(pid); ok && q.State == 'Z' {
			n++
		}
	}
	return n
}

// Marked returns all processes of the machine that have marker in their command line.
func Marked(marker string) (all []string) {
	for _, pid := range everyPid() {
		if q, ok := read(pid); ok && strings.Contains(strings.Join(q.Command, " "), marker) && pid != os.Getpid() {
			all = append(all, describe(pid))
		}
	}
	return all
}
