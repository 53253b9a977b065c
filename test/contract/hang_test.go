package contract

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

// hanging is a program whose exec waits until its lease is given up.
type hanging struct {
	t    *testing.T
	path string
	file *os.File
}

func newHanging(t *testing.T) *hanging {
	t.Helper()
	h := &hanging{t: t, path: filepath.Join(pod.OpenDir(t), "busybox")}
	out, err := exec.Command("cp", harness.Command(t, "busybox"), h.path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	h.file, err = os.Open(h.path)
	check(t, err)
	t.Cleanup(func() { h.file.Close() })
	h.lease(unix.F_SETLEASE, unix.F_WRLCK)
	return h
}

func (h *hanging) lease(command, arg int) int {
	h.t.Helper()
	got, err := unix.FcntlInt(h.file.Fd(), command, arg)
	check(h.t, err)
	return got
}

// awaited waits until an exec waits for the lease.
func (h *hanging) awaited() {
	h.t.Helper()
	pod.Until(h.t, "the exec waits for the lease", func() bool { return h.lease(unix.F_GETLEASE, 0) != unix.F_WRLCK })
}

// TestExecHangsBesideOthers checks that an exec that waits delays no other job: its health checks, its
// signals, its stop and its start. Nothing of that would happen before the lease is given up.
func TestExecHangsBesideOthers(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		h := newHanging(t)
		b, c := client(t, l, `
services:
	bad: {command: `+h.path+` sh -c "echo bad up >> $LOG; exec sleep 1000", stop_grace_period: 1h}
	web: {command: `+sh(`trap "echo hup >> $LOG" HUP; trap "exit 0" TERM; echo web up >> $LOG; while :; do sleep 0.02; done`)+`,
		healthcheck: {test: "echo checked >> $LOG", interval: 10ms}}
`)
		h.awaited()
		b.noted("web up")
		_, err := c.Signal(t.Context(), control.SignalParams{Jobs: []string{"web"}, Signal: "HUP"})
		check(t, err)
		b.noted("hup")
		b.notedTimes(b.count("checked")+2, "checked")
		_, err = c.Stop(t.Context(), control.StopParams{Jobs: []string{"web"}})
		check(t, err)
		_, err = c.Start(t.Context(), control.StartParams{Jobs: []string{"web"}})
		check(t, err)
		b.notedTimes(2, "web up")
		if b.count("bad up") > 0 {
			t.Fatal("the exec did not wait")
		}
		h.lease(unix.F_SETLEASE, unix.F_UNLCK)
		b.noted("bad up")
		b.Signal(unix.SIGTERM)
		b.ends(0)
	})
}

// TestExecHangsAtTheEnd checks that a job whose exec waits can be stopped, with a signal that the
// waiting process has not even blocked. The exec never happens.
func TestExecHangsAtTheEnd(t *testing.T) {
	for _, mode := range pod.Modes {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			h := newHanging(t)
			p := pod.Start(t, pod.Spec{Mode: mode, Args: []string{"--stop-grace-period", "1h", "--", h.path, "echo", "executed"}})
			h.awaited()
			p.Signal(unix.SIGTERM)
			r := p.Wait()
			if r.Code != 128+15 || len(r.Receipts) != 1 || r.Receipts[0].Signal != "SIGTERM" {
				t.Errorf("status %d, receipts %+v; stderr: %s", r.Code, r.Receipts, r.Stderr)
			}
			if err := r.Clean(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestProgramIsBeingWritten checks that a start waits for a program that somebody still writes, a build
// perhaps, also if the exec helper starts it.
func TestProgramIsBeingWritten(t *testing.T) {
	for name, key := range map[string]string{"plain": "restart: 'no'", "by the helper": "oom_score_adj: 500"} {
		t.Run(name, func(t *testing.T) {
			inLevels(t, func(t *testing.T, l level) {
				path := filepath.Join(pod.OpenDir(t), "busybox")
				out, err := exec.Command("cp", harness.Command(t, "busybox"), path).CombinedOutput()
				if err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				f, err := os.OpenFile(path, os.O_RDWR, 0)
				check(t, err)
				h := newHanging(t) // beside it an exec waits, so that nothing else is waited for
				b := start(t, l, "jobs:\n\tbad: {command: "+h.path+" true}\n\ta: {command: "+path+" sh -c 'echo started >> $LOG', "+key+"}\n")
				h.awaited()
				time.AfterFunc(300*time.Millisecond, func() { f.Close() })
				b.noted("started")
				h.lease(unix.F_SETLEASE, unix.F_UNLCK)
				b.ends(0)
			})
		})
	}
}
