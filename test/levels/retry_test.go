package levels

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/init/proctree"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// TestSecondTry checks a start through the exec helper that fails because there are too many processes.
// It has executed nothing, so it is tried again, and still has the caller's output.
func TestSecondTry(t *testing.T) {
	const uid, most = 54322, 100
	spec := pod.Spec{Mode: pod.Subreaper, UID: uid, Wrap: []string{"prlimit", "--nproc=" + strconv.Itoa(most), "--"}}
	a := startIn(t, spec, []string{harness.Bin(t, "trees"), "deaf", "200", "--marker", "MARKER"}, "")
	pod.Until(t, "the limit is reached", func() bool { return tasksOf(t, uid) >= most })
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	client, err := control.Dial(t.Context(), a.socket, pod.Patience)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	p := control.RunParams{}
	p.Process.Args, p.Process.NoNewPrivileges = []string{"/bin/echo", "hello"}, true
	status := make(chan error, 1)
	go func() {
		lease, err := client.Run(t.Context(), p, os.Stdin, w, w)
		w.Close()
		if err == nil {
			_, err = lease.Wait()
		}
		status <- err
	}()
	pod.Until(t, "it cannot be started", func() bool { return strings.Contains(a.Stderr(), "cannot fork") })
	if _, err := a.Kill(t.Context(), control.KillParams{Jobs: []string{"bad"}}); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(r).ReadString('\n'); line != "hello\n" {
		t.Errorf("the run says %q, %v", line, err)
	}
	if err := <-status; err != nil {
		t.Error(err)
	}
	a.ended(t)
}

// tasksOf counts the processes and threads of a uid.
func tasksOf(t *testing.T, uid int) (n int) {
	t.Helper()
	pids, err := proctree.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids {
		if strings.HasPrefix(pod.Status(pid, "Uid"), strconv.Itoa(uid)) {
			threads, _ := strconv.Atoi(pod.Status(pid, "Threads"))
			n += threads
		}
	}
	return n
}
