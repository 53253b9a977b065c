package proc

import (
	"bufio"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestBelow starts a shell with a child and a grandchild, and looks for all of them.
func TestBelow(t *testing.T) {
	cmd := exec.Command("sh", "-c", `sleep 1000 & echo $!; sh -c 'sleep 1000 & echo $!; wait' & echo $!; wait`)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	want := []int{cmd.Process.Pid}
	lines := bufio.NewScanner(out)
	for range 3 {
		lines.Scan()
		pid, err := strconv.Atoi(strings.TrimSpace(lines.Text()))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, pid)
	}
	defer func() {
		for _, pid := range want {
			p, _ := os.FindProcess(pid)
			_ = p.Kill()
		}
		_ = cmd.Wait()
	}()
	got := Below(os.Getpid())
	for _, pid := range want {
		if !slices.Contains(got, pid) {
			t.Errorf("%d descends from this process and is not in %v", pid, got)
		}
	}
	if got[0] != cmd.Process.Pid {
		t.Errorf("%v does not begin with the parent %d", got, cmd.Process.Pid)
	}
	all, err := All()
	if err != nil || !slices.Contains(all, want[3]) || slices.Contains(all, os.Getpid()) {
		t.Errorf("all but this process are %v, %v", all, err)
	}
	if got := Below(1 << 22); got != nil {
		t.Errorf("the descendants of a pid that no process can have are %v", got)
	}
}
