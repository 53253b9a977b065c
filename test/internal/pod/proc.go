package pod

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
	"golang.org/x/sys/unix"
)

// Process is a process as /proc shows it.
type Process struct {
	Pid     int
	Parent  int
	Session int
	State   byte
	Command []string
}

// read returns a process. ok is false if it does not exist any more.
func read(pid int) (p Process, ok bool) {
	dir := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(dir + "/stat")
	command, _ := os.ReadFile(dir + "/cmdline")
	if err != nil {
		return p, false
	}
	// The fields follow the name, which stands in parentheses and may contain anything.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	p = Process{Pid: pid, State: fields[0][0]}
	p.Parent, _ = strconv.Atoi(fields[1])
	p.Session, _ = strconv.Atoi(fields[3])
	p.Command = strings.Split(strings.TrimSuffix(string(command), "\x00"), "\x00")
	return p, true
}

// Status returns a field of /proc/PID/status.
func Status(pid int, field string) string {
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	return value(string(text), field)
}

func value(status, field string) string {
	_, after, _ := strings.Cut("\n"+status, "\n"+field+":")
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

// Member is a process of a pod.
// Inner is the pid inside the pod.
type Member struct{ Pid, Inner, Parent int }

// Tree returns the living processes of the pod that run program, in any generation.
func (p *Pod) Tree(program string) (tree []Member) {
	pids := everyPid()
	if p.cgroup != "" {
		pids = pidsBelow(p.cgroup)
	}
	space := pidNamespace(p.Pid)
	depth := len(strings.Fields(Status(p.Pid, "NSpid"))) - 1
	for _, pid := range pids {
		text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
		status := string(text)
		isZombie := strings.HasPrefix(value(status, "State"), "Z") && value(status, "Threads") == "1"
		if value(status, "Name") != program || isZombie || p.cgroup == "" && !isWithin(pid, space) {
			continue
		}
		m := Member{Pid: pid, Inner: pid}
		m.Parent, _ = strconv.Atoi(value(status, "PPid"))
		// A process of a PID namespace that the job has made has a pid in that one too.
		if ids := strings.Fields(value(status, "NSpid")); len(ids) > 0 {
			m.Inner, _ = strconv.Atoi(ids[min(max(depth, 0), len(ids)-1)])
		}
		tree = append(tree, m)
	}
	return tree
}

// Guardians returns the processes of cginit's own program that are children of the supervisor.
func (p *Pod) Guardians() []Member {
	return slices.DeleteFunc(append(p.Tree("cginit"), p.Tree("cginit-guardian")...), func(q Member) bool { return q.Pid == p.Pid || q.Parent != p.Pid })
}

func pidNamespace(pid int) string {
	link, _ := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid))
	return link
}

// isWithin tells whether a process is in this PID namespace or in one inside it.
func isWithin(pid int, space string) bool {
	file, err := os.Open(fmt.Sprintf("/proc/%d/ns/pid", pid))
	for err == nil {
		var info unix.Stat_t
		err = unix.Fstat(int(file.Fd()), &info)
		if err == nil && fmt.Sprintf("pid:[%d]", info.Ino) == space {
			file.Close()
			return true
		}
		var outer int
		outer, err = unix.IoctlRetInt(int(file.Fd()), unix.NS_GET_PARENT) // EPERM: it is outside of our own
		file.Close()
		file = os.NewFile(uintptr(outer), "outer namespace")
	}
	return false
}

// Zombies returns how many children of cginit wait to be reaped.
func (p *Pod) Zombies() (n int) {
	for _, pid := range children(p.Pid) {
		if q, ok := read(pid); ok && q.State == 'Z' {
			n++
		}
	}
	return n
}

// Marked describes all processes of the machine that have marker in their command line or in their
// environment. It asks each thread, because the kernel shows nothing of one that has ended.
func Marked(marker string) (all []string) {
	for _, pid := range everyPid() {
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
		isMarked := slices.ContainsFunc(threads, func(dir string) bool {
			command, _ := os.ReadFile(dir + "/cmdline")
			environment, _ := os.ReadFile(dir + "/environ")
			return bytes.Contains(append(command, environment...), []byte(marker))
		})
		if isMarked && pid != os.Getpid() {
			all = append(all, describe(pid))
		}
	}
	return all
}

// Undisturbed returns the pids of the processes that have marker in their command line, and which of
// them are stopped. Both must stay the same while another job is torn down.
func Undisturbed(marker string) (is []string) {
	for _, pid := range Pids(marker) {
		text := strconv.Itoa(pid)
		if strings.HasPrefix(Status(pid, "State"), "T") {
			text += " stopped"
		}
		is = append(is, text)
	}
	return is
}

// PrivateDirty returns the memory that belongs to a process alone, in kB.
func PrivateDirty(t testing.TB, pid int) int {
	t.Helper()
	unix.Sync() // otherwise the pages of a binary that was just built count as dirty
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		harness.Missing(t, "smaps_rollup: "+err.Error())
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "Private_Dirty:"); ok {
			n, _ := strconv.Atoi(strings.Fields(value)[0])
			return n
		}
	}
	t.Fatal("smaps_rollup has no Private_Dirty")
	return 0
}

// Pids returns the processes of the machine that have marker in their command line, in order.
func Pids(marker string) (pids []int) {
	for _, pid := range everyPid() {
		command, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
		if bytes.Contains(command, []byte(marker)) && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids
}
