package proctree

import (
	"errors"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMainExits(t *testing.T) {
	h := start(t, sh("exit 7"))
	if e := h.await(Started); e.Pid <= 0 || h.Main != e.Pid {
		t.Errorf("started as %+v, main %d", e, h.Main)
	}
	e := h.await(MainExited)
	if e.Pid != h.Main || !e.Status.Exited() || e.Status.ExitStatus() != 7 {
		t.Errorf("ended as %+v", e)
	}
	h.gone()
}

func TestMainIsKilled(t *testing.T) {
	h := start(t, sh("echo up; exec sleep 1000"))
	h.line("up")
	if err := h.SignalMain(unix.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	if e := h.await(MainExited); !e.Status.Signaled() || e.Status.Signal() != syscall.SIGUSR1 {
		t.Errorf("ended as %+v", e)
	}
	h.gone()
}

func TestCannotExecute(t *testing.T) {
	for path, want := range map[string]error{
		"/nowhere": unix.ENOENT, "/etc": unix.EACCES, "/etc/passwd": unix.EACCES,
	} {
		h := start(t, Order{Args: []string{path}})
		if e := h.await(Failed); !errors.Is(e.Err, want) {
			t.Errorf("%s: %v, want %v", path, e.Err, want)
		}
		// The same holder takes another order.
		if err := h.Start(Order{Path: "/bin/true", Args: []string{"true"}}); err != nil {
			t.Fatal(err)
		}
		h.await(Started)
		h.gone()
	}
}

// TestLeftovers: the holder holds, lists and kills what is left when the main process has ended.
func TestLeftovers(t *testing.T) {
	h := start(t, sh(`setsid sh -c 'trap "" TERM; echo $$; while :; do sleep 1000; done' & sleep 1000 & echo $!`))
	h.await(MainExited)
	var want []int
	for range 2 {
		pid, err := strconv.Atoi(h.line(""))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, pid)
	}
	got, err := h.Procs()
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range want {
		if !slices.Contains(got, pid) {
			t.Errorf("%d is not among the leftovers %v", pid, got)
		}
	}
	if err := h.Kill(); err != nil {
		t.Fatal(err)
	}
	h.gone()
}

// TestSupervisorGone closes the socket, which is all that a holder notices of a supervisor's death.
func TestSupervisorGone(t *testing.T) {
	h := start(t, Order{Args: []string{treesBinary, "daemon", "5", "--marker", t.Name()}})
	h.line("ready")
	if len(marked(t.Name())) != 6 {
		t.Errorf("the job consists of %v", marked(t.Name()))
	}
	h.Close()
	h.waitHolder()
	if left := marked(t.Name()); len(left) > 0 {
		t.Errorf("still alive are %v", describe(left))
	}
}
