package proctree

import (
	"bufio"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestRushSignalsGroups: a rush kills the whole process group of a child of ours if the group is of
// a session that the job has made. It kills only the child if the group is of our own session,
// which may have members that are not the job's.
func TestRushSignalsGroups(t *testing.T) {
	theirs := twoInAGroup(t, &syscall.SysProcAttr{Setsid: true})
	ours := twoInAGroup(t, &syscall.SysProcAttr{Setpgid: true})
	w, err := newWalker()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	w.groups = make([]int32, 0, 1)
	w.rush(unix.SIGKILL)
	for _, pid := range append(theirs, ours[0]) {
		if ws := waited(t, pid); ws.Signal() != unix.SIGKILL {
			t.Errorf("process %d: %v", pid, ws)
		}
	}
	if err := unix.Kill(ours[1], unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if ws := waited(t, ours[1]); ws.Signal() != unix.SIGTERM {
		t.Errorf("the process in a group of our session ended with %v", ws)
	}
}

// twoInAGroup starts a child with a child of its own, and returns the pids of both.
func twoInAGroup(t *testing.T, attr *syscall.SysProcAttr) []int {
	t.Helper()
	cmd := exec.Command("sh", "-c", "sleep 1000 & echo $!; wait")
	cmd.SysProcAttr = attr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return []int{cmd.Process.Pid, pid}
}

// waited waits for a child of ours, or for a descendant that becomes one: this test is a subreaper.
func waited(t *testing.T, pid int) (ws unix.WaitStatus) {
	t.Helper()
	defer time.AfterFunc(patience, func() { _ = unix.Kill(pid, unix.SIGABRT) }).Stop()
	for {
		switch _, err := unix.Wait4(pid, &ws, 0, nil); err {
		case nil:
			return ws
		case unix.EINTR:
		case unix.ECHILD: // its parent is not dead yet
			if unix.Kill(pid, 0) != nil {
				t.Fatalf("process %d disappeared with its parent", pid)
			}
		default:
			t.Fatal(err)
		}
	}
}
