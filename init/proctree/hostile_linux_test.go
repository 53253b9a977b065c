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

// TestHolderKilled: a job of the holder's own uid kills it. The holder counts as lost, and Sweep
// finds the processes of the job among our children.
func TestHolderKilled(t *testing.T) {
	neighbour := tree(t, "plain", "5")
	told := filepath.Join(t.TempDir(), "told")
	h := start(t, sh(`sleep 1000 & setsid sleep 1000 & until [ -e `+told+` ]; do :; done
		kill -9 $PPID; echo done; exec sleep 1000`))
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
		t.Errorf("Sweep returned %v, %v; the main process is %d", describe(found), err, h.Main)
	}
	sweepAll(t, isOurs)
	for _, pid := range found {
		if alive(pid) {
			t.Errorf("%d is still alive", pid)
		}
	}
	if n := len(marked(neighbour.marker)); n != 6 {
		t.Errorf("the neighbour has %d processes left", n)
	}
}

// sweepAll sweeps until nothing is found, as a supervisor does that has lost a holder.
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

// TestHolderOutOfReach: the kernel refuses signals to the holder from a job with a uid of its own.
func TestHolderOutOfReach(t *testing.T) {
	needRoot(t)
	const attack = `for s in KILL STOP TERM; do kill -$s $PPID && echo sent; done; echo tried; exec sleep 1000`
	h := start(t, asUser(sh(attack), jobUID))
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

// TestHolderStopped: a job can stop its holder, because SIGSTOP cannot be blocked. Waited continues
// the holder.
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
	h.await(Started) // the stop may have come before this event
	_ = h.Kill()
	h.gone()
}

// TestHolderDeaf: no signal but SIGKILL and SIGSTOP has an effect on a holder.
func TestHolderDeaf(t *testing.T) {
	h := start(t, sh(`for s in HUP INT QUIT USR1 USR2 PIPE ALRM TERM CHLD TSTP; do kill -$s $PPID; done
		echo sent; exec sleep 1000`))
	h.line("sent")
	_ = h.SignalMain(unix.SIGTERM)
	if e := h.await(MainExited); e.Status.Signal() != unix.SIGTERM {
		t.Errorf("%+v", e)
	}
	h.gone()
}

// TestSiblingsContinued freezes processes that continue each other.
func TestSiblingsContinued(t *testing.T) {
	h := start(t, sh(`sleep 1000 & s=$!
		(while :; do kill -CONT $s; done) & (while :; do kill -CONT $s; done) & echo up; wait`))
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

// TestRenamed: a command whose name looks like fields of /proc/PID/stat is found and frozen.
func TestRenamed(t *testing.T) {
	h := start(t, sh(`printf ') Z 1 (\n) R 1' > /proc/$$/comm; (sleep 1000 & echo up; wait) & wait`))
	h.line("up")
	pids, err := h.Procs()
	if err != nil || len(pids) != 3 {
		t.Errorf("the processes are %v, %v", describe(pids), err)
	}
	_ = h.Freeze()
	h.await(Frozen)
	_ = h.Kill()
	h.gone()
}

// TestSubreaperInside: the holder adopts the orphans of a subreaper below it.
func TestSubreaperInside(t *testing.T) {
	h := start(t, Order{Path: selfBinary, Args: []string{"test-subreaper"}})
	if got := h.line("children:"); got != "5" {
		t.Errorf("the subreaper had %s children", got)
	}
	h.await(MainExited)
	if pids, _ := h.Procs(); len(pids) != 5 {
		t.Errorf("still alive are %v", describe(pids))
	}
	_ = h.Kill()
	h.gone()
}

// TestRabbits kills processes that outrun a walk by forking and exiting.
func TestRabbits(t *testing.T) {
	h := start(t, Order{Path: selfBinary, Args: []string{"test-rabbits"}})
	h.line("running")
	h.await(MainExited)
	before := time.Now()
	_ = h.Kill()
	h.gone()
	t.Logf("the job ended within %v", time.Since(before))
}

// TestPidsTaken kills a job that has reached its limit of processes.
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

// TestTraceRefused: the job cannot trace its holder.
func TestTraceRefused(t *testing.T) {
	o := Order{Path: selfBinary, Args: []string{"test-ptrace"}}
	if os.Getuid() == 0 {
		// Root may trace any process. TestAsUser runs this with the same uid on both sides.
		o = asUser(o, jobUID)
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

// TestNoProc: a kill needs no /proc. A list fails without it, and a freeze never reports Frozen.
func TestNoProc(t *testing.T) {
	needRoot(t)
	marker := fmt.Sprint(time.Now().UnixNano()) // the argument of sleep
	cmd := &exec.Cmd{
		Path: selfBinary, Args: []string{"test-noproc", marker},
		SysProcAttr: &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}, Stderr: os.Stderr,
	}
	out, err := cmd.Output()
	if want := "list: " + errNoProc.Error() + "\nempty\n"; err != nil || string(out) != want {
		t.Errorf("%q, %v; want %q", out, err, want)
	}
	if left := marked(marker); len(left) > 0 {
		t.Errorf("still alive are %v", describe(left))
	}
}

// TestAsUser runs the tests that matter again as an ordinary user, whose jobs have the same uid as
// the holder.
func TestAsUser(t *testing.T) {
	needRoot(t)
	const tests = "Teardown/(daemon|deaf)|Hostile|Holder|Trace|Main|Leftovers|Freeze|Siblings|Renamed|Bomb"
	cmd := exec.Command(selfBinary, "-test.v", "-test.run", tests)
	cmd.Env = []string{"PATH=/usr/bin:/bin", programsVariable + "=" + filepath.Dir(selfBinary)}
	cmd.Dir, cmd.WaitDelay = "/", patience // a process that is left may hold its output open
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: otherUID, Gid: otherUID}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
