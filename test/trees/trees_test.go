package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

func TestMain(m *testing.M) { os.Exit(pod.Main(m)) }

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
	isReady := lines.Scan()
	if what, isMissing := strings.CutPrefix(lines.Text(), "missing "); isMissing {
		harness.Missing(t, what)
	}
	if !isReady || lines.Text() != "ready" {
		t.Fatalf("trees said %q, not ready, %v", lines.Text(), lines.Err())
	}
	return started{cmd, box, input}
}
