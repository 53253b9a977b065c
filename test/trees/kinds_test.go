package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// is tells whether a process of a tree is what the kind's name says.
type is func(main, p pod.Process, tree []pod.Process) bool

// deafAnd adds that the process ignores all signals.
func deafAnd(and is) is {
	return func(main, p pod.Process, tree []pod.Process) bool {
		return ignored(p.Pid) == ^uint64(0) && and(main, p, tree)
	}
}

// apartIn is for kinds whose processes have a namespace of their own.
func apartIn(namespace string) is {
	return deafAnd(func(main, p pod.Process, _ []pod.Process) bool {
		return readlink(p.Pid, "ns/"+namespace) != readlink(main.Pid, "ns/"+namespace)
	})
}

var usual = map[string]is{
	"plain": func(main, p pod.Process, _ []pod.Process) bool {
		return p.Parent == main.Pid && p.Session == main.Session
	},
	"setsid": func(main, p pod.Process, _ []pod.Process) bool { return p.Parent == main.Pid && p.Session == p.Pid },
	"daemon": func(main, p pod.Process, _ []pod.Process) bool {
		return p.Parent != main.Pid && p.Session != main.Session
	},
	"deaf":    func(_, p pod.Process, _ []pod.Process) bool { return ignored(p.Pid) == ^uint64(0) },
	"chain":   func(_, p pod.Process, tree []pod.Process) bool { return siblings(p, tree) == 1 },
	"nested":  func(_, p pod.Process, _ []pod.Process) bool { return strings.Contains(cgroupOf(p.Pid), "/inner\n") },
	"stopped": func(_, p pod.Process, _ []pod.Process) bool { return p.State == 'T' },
}

var odd = map[string]is{
	"headless": deafAnd(func(main, p pod.Process, _ []pod.Process) bool { return p.Parent == main.Pid && isHeadless(p) }),
	"headless-main": deafAnd(func(main, p pod.Process, _ []pod.Process) bool {
		return p.Parent == main.Pid && isHeadless(main) && !isHeadless(p)
	}),
	"traced": deafAnd(func(_, p pod.Process, tree []pod.Process) bool {
		tracer := func(q pod.Process) string { return pod.Status(q.Pid, "TracerPid") }
		return tracer(p) != "0" || slices.ContainsFunc(tree, func(q pod.Process) bool { return tracer(q) == strconv.Itoa(p.Pid) })
	}),
	// The kernel gives an orphan a new exit signal.
	"no-exit-signal": deafAnd(func(main, p pod.Process, _ []pod.Process) bool {
		return exitSignal(p.Pid) == 0 && p.Parent == main.Pid || exitSignal(p.Pid) == syscall.SIGCHLD && p.Parent != main.Pid
	}),
	"clone-parent": deafAnd(func(main, p pod.Process, _ []pod.Process) bool { return p.Parent == main.Parent }),
	"vfork": deafAnd(func(_, p pod.Process, tree []pod.Process) bool {
		return p.State == 'D' || slices.ContainsFunc(tree, func(q pod.Process) bool { return q.Pid == p.Parent && q.State == 'D' })
	}),
	"inner-pidns":    apartIn("pid"),
	"inner-userns":   apartIn("user"),
	"inner-cgroupns": apartIn("cgroup"),
	"memfd": deafAnd(func(_, p pod.Process, _ []pod.Process) bool {
		return strings.HasPrefix(readlink(p.Pid, "exe"), "/memfd:")
	}),
	"no-argv":    deafAnd(func(_, p pod.Process, _ []pod.Process) bool { return commandOf(p) == "" }),
	"threaded":   deafAnd(func(_, p pod.Process, _ []pod.Process) bool { return strings.Contains(cgroupOf(p.Pid), "/pool") }),
	"page-fault": deafAnd(func(_, p pod.Process, _ []pod.Process) bool { return waitsIn(p.Pid, -1) }),
	"sqpoll": deafAnd(func(_, p pod.Process, _ []pod.Process) bool {
		names, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/comm", p.Pid))
		return slices.ContainsFunc(names, func(file string) bool { return strings.HasPrefix(content(file), "iou-sqp-") })
	}),
	"fuse": deafAnd(func(main, p pod.Process, _ []pod.Process) bool {
		return p.Parent == main.Pid && waitsIn(p.Pid, syscall.SYS_READ) || waitsIn(p.Pid, syscall.SYS_OPENAT)
	}),
	"core-dump": func(_, p pod.Process, _ []pod.Process) bool { return pod.Status(p.Pid, "CoreDumping") == "1" },
}

// TestKinds checks that each kind of tree is what its name says. Otherwise the suites would prove
// something else.
func TestKinds(t *testing.T) {
	for kind := range kinds {
		is := usual[kind]
		if is == nil {
			is = odd[kind]
		}
		if is == nil {
			if kind != "bomb" && kind != "orphans" { // these do not stay as they are
				t.Errorf("no test checks the kind %s", kind)
			}
			continue
		}
		t.Run(kind, func(t *testing.T) {
			size := 20
			if kind == "chain" {
				size += link
			}
			if kind == "core-dump" { // a dump keeps a processor busy
				t.Chdir(t.TempDir())
				size = 2
			}
			s := start(t, kind, size)
			if kind == "page-fault" { // it says that it is ready before that
				pod.Until(t, "all are in a page fault", func() bool { return len(faulting(s.Processes())) == size })
			}
			if kind == "fuse" { // so it does, and then asks for the file
				pod.Until(t, "all wait for a file", func() bool {
					return !slices.ContainsFunc(s.Processes(), func(p pod.Process) bool { return p.State == 'R' })
				})
			}
			tree := s.Processes()
			if len(tree) != size+1 {
				t.Errorf("the tree has %d processes", len(tree))
			}
			main := tree[slices.IndexFunc(tree, func(p pod.Process) bool { return p.Pid == s.Process.Pid })]
			for _, p := range tree {
				// The kernel shows no command line of a process whose first thread has ended.
				if !isHeadless(p) && (kind != "no-argv" || p.Pid == main.Pid) && !strings.Contains(commandOf(p), "--marker x") {
					t.Errorf("%d has no marker: %q", p.Pid, p.Command)
				}
				if p.Pid != main.Pid && !is(main, p, tree) {
					t.Errorf("not %s: %+v", kind, p)
				}
			}
		})
	}
}

// TestMissing checks that a tree that the kernel refuses ends with a line that says what is missing. The
// suites skip the kind then.
func TestMissing(t *testing.T) {
	script := `echo 0 >/proc/sys/user/max_user_namespaces && exec "$0" inner-userns 1`
	cmd := exec.Command("sh", "-c", script, harness.Bin(t, "trees"))
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}},
	}
	out, err := cmd.Output()
	if want := "missing a user namespace in the job: no space left on device\n"; string(out) != want || cmd.ProcessState.ExitCode() != statusOnLack {
		t.Errorf("trees said %q, %v; not %q", out, err, want)
	}
}

func faulting(tree []pod.Process) []pod.Process {
	return slices.DeleteFunc(tree, func(p pod.Process) bool { return !waitsIn(p.Pid, -1) })
}

func isHeadless(p pod.Process) bool { return p.State == 'Z' && pod.Status(p.Pid, "Threads") != "1" }

func commandOf(p pod.Process) string { return strings.Trim(strings.Join(p.Command, " "), "\x00 ") }

// readlink returns what a symbolic link in /proc/PID points to.
func readlink(pid int, name string) string {
	text, _ := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), name))
	return text
}

// waitsIn tells whether a process sleeps in this system call; -1: not in one.
func waitsIn(pid, call int) bool {
	number, _, _ := strings.Cut(content(fmt.Sprintf("/proc/%d/syscall", pid)), " ")
	return number == strconv.Itoa(call)
}

func content(file string) string {
	text, _ := os.ReadFile(file)
	return string(text)
}

// exitSignal returns the signal that the parent gets when the process ends. It is field 38 of
// /proc/PID/stat.
func exitSignal(pid int) syscall.Signal {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	sig, _ := strconv.Atoi(fields[38-3])
	return syscall.Signal(sig)
}

// ignored returns the mask of the signals that a process ignores, plus those that cannot be ignored.
func ignored(pid int) uint64 {
	mask, _ := strconv.ParseUint(pod.Status(pid, "SigIgn"), 16, 64)
	return mask | 1<<(syscall.SIGKILL-1) | 1<<(syscall.SIGSTOP-1)
}

func cgroupOf(pid int) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	return string(text)
}

// siblings counts the processes of the tree that have the same parent as p, including p.
func siblings(p pod.Process, tree []pod.Process) (n int) {
	for _, q := range tree {
		if q.Parent == p.Parent {
			n++
		}
	}
	return n
}
