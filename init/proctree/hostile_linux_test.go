package proctree

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestHolderKilled is what a job of the holder's own uid can do: the holder is lost, that is
// seen, and what it held is found among our own children.
func TestHolderKilled(t *testing.T) {
	neighbour := tree(t, "plain", "5")
	told := filepath.Join(t.TempDir(), "told")
	h := start(t, sh(`sleep 1000 & setsid sleep 1000 & until [ -e `+told+` ]; do :; done; kill -9 $PPID; echo done; exec sleep 1000`))
	h.await(Started)
	if err := os.WriteFile(told, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	h.line("done")
	h.awaitEOF()
	if ws := h.waitHolder(); !h.Waited(ws) || ws.Signal() != unix.SIGKILL {
		t.Errorf("the holder ended with %#x", ws)
	}
	if !h.Lost() {
		t.Error("the holder does not count as lost")
	}
	isOurs := func(pid int) bool { return pid == neighbour.Pid }
	found, err := Sweep(0, isOurs)
	if err != nil || len(found) != 3 || !slices.Contains(found, h.Main) {
		t.Errorf("found %v, %v; the main process is %d", describe(found), err, h.Main)
	}
	sweepAll(t, isOurs)
	for _, pid := range found {
		if alive(pid) {
			t.Errorf("%d lives on", pid)
		}
	}
	if n := len(marked(neighbour.marker)); n != 6 {
		t.Errorf("the neighbour has %d processes left", n)
	}
}

// sweepAll is what a supervisor does about a lost holder.
func sweepAll(t *testing.T, isOurs func(int) bool) {
	t.Helper()
	until(t, "the sweep finds nothing more", func() bool {
		found, err := Sweep(unix.SIGKILL, isOurs)
		if err != nil {
			t.Fatal(err)
		}
		for _, pid := range found {
			_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil)
		}
		return len(found) == 0
	})
}

// TestHolderOutOfReach: with a uid to itself the job is refused by the kernel.
func TestHolderOutOfReach(t *testing.T) {
	needRoot(t)
	h := start(t, asUser(sh(`for s in KILL STOP TERM; do kill -$s $PPID && echo sent; done; echo tried; exec sleep 1000`), jobUID))
	for {
		line := h.line("")
		if line == "tried" {
			break
		}
		t.Errorf("a signal was %s to the holder", line)
	}
	_ = h.Kill()
	h.gone()
}

// TestHolderStopped: SIGSTOP cannot be blocked, but a holder that is stopped is sent on.
func TestHolderStopped(t *testing.T) {
	h := start(t, sh(`kill -STOP $PPID; echo done; exec sleep 1000`))
	h.line("done")
	var ws syscall.WaitStatus
	if _, err := syscall.Wait4(h.Pid, &ws, syscall.WUNTRACED, nil); err != nil || !ws.Stopped() {
		t.Fatalf("%#x, %v", ws, err)
	}
	if h.Waited(ws) {
		t.Error("a stopped holder counts as ended")
	}
	h.await(Started) // which it may have been stopped before it could say
	_ = h.Kill()
	h.gone()
}

// TestHolderDeaf: nothing but SIGKILL and SIGSTOP reaches it.
func TestHolderDeaf(t *testing.T) {
	h := start(t, sh(`for s in HUP INT QUIT USR1 USR2 PIPE ALRM TERM CHLD TSTP; do kill -$s $PPID; done; echo sent; exec sleep 1000`))
	h.line("sent")
	_ = h.SignalMain(unix.SIGTERM)
	if e := h.await(MainExited); e.Status.Signal() != unix.SIGTERM {
		t.Errorf("%+v", e)
	}
	h.gone()
}

func TestSiblingsContinued(t *testing.T) {
	h := start(t, sh(`sleep 1000 & s=$!; (while :; do kill -CONT $s; done) & (while :; do kill -CONT $s; done) & echo up; wait`))
	h.line("up")
	_ = h.Freeze()
	h.await(Frozen)
	pids, _ := h.Procs()
	for _, pid := range pids {
		if s := state(pid); s != 'T' && s != 'Z' {
			t.Errorf("%d is in state %c", pid, s)
		}
	}
	_ = h.Kill()
	h.gone()
}

func TestRenamed(t *testing.T) {
	h := start(t, sh(`printf ') Z 1 (\n) R 1' > /proc/$$/comm; (sleep 1000 & echo up; wait) & wait`))
	h.line("up")
	pids, err := h.Procs()
	if err != nil || len(pids) != 3 {
		t.Errorf("there are %v, %v", describe(pids), err)
	}
	_ = h.Freeze()
	h.await(Frozen)
	_ = h.Kill()
	h.gone()
}

func TestSubreaperInside(t *testing.T) {
	h := start(t, Order{Path: selfBinary, Args: []string{"test-subreaper"}})
	if got := h.line("children:"); got != "5" {
		t.Errorf("it had %s children", got)
	}
	h.await(MainExited)
	if pids, _ := h.Procs(); len(pids) != 5 {
		t.Errorf("left are %v", describe(pids))
	}
	_ = h.Kill()
	h.gone()
}

// TestRabbits outrun a walk by forking and exiting, but not for ever.
func TestRabbits(t *testing.T) {
	h := start(t, Order{Path: selfBinary, Args: []string{"test-rabbits"}})
	h.line("running")
	h.await(MainExited)
	before := time.Now()
	_ = h.Kill()
	h.gone()
	t.Logf("gone in %v", time.Since(before))
}

// TestPidsTaken: the job has all the processes that it may have, and can be killed.
func TestPidsTaken(t *testing.T) {
	needRoot(t)
	for name, own := range map[string]*Own{"a uid to itself": {UID: jobUID, Killer: killerUID}, "tree": nil} {
		t.Run(name, func(t *testing.T) {
			marker := fmt.Sprintf("%s-%d", strings.ReplaceAll(t.Name(), " ", "-"), time.Now().UnixNano())
			o := Order{Path: selfBinary, Args: []string{"test-limited", treesBinary, "bomb", "50", "--marker", marker}}
			o.User, o.Own = &User{UID: jobUID, GID: jobUID}, own
			h := start(t, o)
			h.line("ready")
			_ = h.Kill()
			h.gone()
			h.marker = marker
			h.nothingLeft()
		})
	}
}

func TestTraceRefused(t *testing.T) {
	o := Order{Path: selfBinary, Args: []string{"test-ptrace"}}
	if os.Getuid() == 0 {
		o = asUser(o, jobUID) // root traces whom it wants; TestAsUser has the same uid on both sides
	}
	h := start(t, o)
	for _, what := range []string{"attach:", "look:"} {
		if got := h.line(what); !strings.Contains(got, "not permitted") && !strings.Contains(got, "denied") {
			t.Errorf("%s %s", what, got)
		}
	}
	_ = h.Kill()
	h.gone()
}

// TestNoProc: a kill needs no /proc. A list does, and a freeze does not claim what it cannot see.
func TestNoProc(t *testing.T) {
	needRoot(t)
	marker := fmt.Sprint(time.Now().UnixNano()) // seconds to sleep
	cmd := &exec.Cmd{
		Path: selfBinary, Args: []string{"test-noproc", marker},
		SysProcAttr: &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}, Stderr: os.Stderr,
	}
	out, err := cmd.Output()
	if want := "list: " + errNoProc.Error() + "\nempty\n"; err != nil || string(out) != want {
		t.Errorf("%q, %v; want %q", out, err, want)
	}
	if left := marked(marker); len(left) > 0 {
		t.Errorf("left are %v", describe(left))
	}
}

// TestAsUser runs what matters once more as an ordinary user, whose jobs have its own uid.
func TestAsUser(t *testing.T) {
	needRoot(t)
	cmd := exec.Command(selfBinary, "-test.v", "-test.run", "Teardown/(daemon|deaf)|Hostile|Holder|Trace|Main|Leftovers|Freeze|Siblings|Renamed|Bomb")
	cmd.Env = []string{"PATH=/usr/bin:/bin", programsVariable + "=" + filepath.Dir(selfBinary)}
	cmd.Dir, cmd.WaitDelay = "/", patience // what is left may hold its output open
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: otherUID, Gid: otherUID}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
