package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

func TestMain(m *testing.M) { os.Exit(pod.Main(m)) }

// TestKinds checks that each kind of tree is what its name says. Otherwise the suites would prove
// something else.
func TestKinds(t *testing.T) {
	for kind, is := range map[string]func(main, p pod.Process, tree []pod.Process) bool{
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
		"headless": func(main, p pod.Process, _ []pod.Process) bool {
			return p.Parent == main.Pid && p.State == 'Z' && pod.Status(p.Pid, "Threads") != "1"
		},
	} {
		t.Run(kind, func(t *testing.T) {
			size := 20
			if kind == "chain" {
				size += link
			}
			s := start(t, kind, size)
			tree := s.Processes()
			if len(tree) != size+1 {
				t.Errorf("the tree has %d processes", len(tree))
			}
			main := tree[slices.IndexFunc(tree, func(p pod.Process) bool { return p.Pid == s.Process.Pid })]
			for _, p := range tree {
				// The kernel shows no command line of a process whose first thread has ended.
				if kind != "headless" && !strings.Contains(strings.Join(p.Command, " "), "--marker x") {
					t.Errorf("%d has no marker: %q", p.Pid, p.Command)
				}
				if p.Pid != main.Pid && !is(main, p, tree) {
					t.Errorf("not %s: %+v", kind, p)
				}
			}
		})
	}
}

// TestBomb checks that a bomb replaces its processes, keeps its size and ends at its time limit. A bomb
// is only as fast as the process that reaps it, so the test runs it under cginit.
func TestBomb(t *testing.T) {
	p := pod.Start(t, pod.Spec{Mode: pod.Process1, Args: []string{
		"--", harness.Bin(t, "trees"), "bomb", "20", "--rate", "1000", "--for", "3s", "--exit", "3",
	}})
	p.Line("ready")
	seen := map[int]bool{}
	pod.Until(t, "every line has replaced itself a few times", func() bool {
		now := p.Tree("trees")
		if len(now) > 100 {
			t.Fatalf("the bomb has grown to %d processes", len(now))
		}
		for _, q := range now {
			seen[q.Pid] = true
		}
		return len(seen) > 200
	})
	pod.Until(t, "it ends", func() bool { return len(p.Tree("trees")) == 1 })
	p.EndInput()
	if r := p.Wait(); r.Code != 3 {
		t.Errorf("cginit ended with %d; stderr: %s", r.Code, r.Stderr)
	}
}

func TestExit(t *testing.T) {
	s := start(t, "daemon", 20)
	s.input.Close()
	_ = s.Wait()
	if code, left := s.ProcessState.ExitCode(), len(s.Processes()); code != 3 || left != 20 {
		t.Errorf("trees ended with %d and left %d processes", code, left)
	}
}

// started is a complete tree.
type started struct {
	*exec.Cmd
	pod.Box
	input io.Closer
}

func start(t *testing.T, kind string, size int, args ...string) started {
	t.Helper()
	args = append([]string{kind, strconv.Itoa(size), "--marker", "x", "--exit", "3"}, args...)
	cmd := exec.Command(harness.Bin(t, "trees"), args...)
	box := pod.Enclose(t, cmd)
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	cmd.Stdout = write
	err = cmd.Start()
	write.Close()
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	if !lines.Scan() || lines.Text() != "ready" {
		t.Fatalf("trees said %q, not ready, %v", lines.Text(), lines.Err())
	}
	return started{cmd, box, input}
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
