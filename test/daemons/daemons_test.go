// Package daemons runs the daemons that people put into containers, as Debian packages them, sealed and not sealed,
// and stopped as the table of init/config/programs says. It holds that table and the one of docs/levels.md against
// what happens. It needs more packages than CI installs, so it runs
// with make test-daemons only, and skips what is not installed.
package daemons

import (
	_ "embed"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

func TestMain(m *testing.M) { os.Exit(pod.Main(m)) }

// daemon is a row of the table. Its scripts are for sh -e; they run in one container.
type daemon struct {
	name    string
	program string // is there only if it is installed
	pkg     string // the Debian package
	setup   string // makes the files of the daemon, as root, before cginit starts
	run     string // what sh executes as the main process
	keys    string // more keys of the service, one a line
	serves  string // a client, which succeeds once the daemon serves
	reload  string // the signal that reloads it
	reloads string // prints how often it was reloaded, so far
	control string // the daemon's own program that reloads it
	exit    int    // the status of its end after the stop signal

	// refused is what the table calls control if that is refused in another sealed job, because it sends a signal.
	refused string
	// lost are uses of the daemon that a seal takes away.
	lost []use
}

// use is something that works without a seal and fails with it.
type use struct {
	does string // a script for another job, sealed as the daemon is
	in   string // what it says then
	says string // the clause in the table
}

func TestDaemons(t *testing.T) {
	if os.Getenv("CGINIT_DAEMONS") == "" {
		t.Skip("SKIPPED: make test-daemons runs it")
	}
	harness.AsRoot(t)
	for _, d := range all() {
		t.Run(d.name, func(t *testing.T) {
			if !isInstalled(d.program) {
				t.Skipf("SKIPPED for want of %s (Debian: %s)", d.program, d.pkg)
			}
			t.Parallel()
			t.Run("not sealed", func(t *testing.T) { d.test(t, false) })
			t.Run("sealed", func(t *testing.T) { d.test(t, true) })
			if d.run != "exec sleep infinity" { // such a row is about other programs
				t.Run("stop_signal auto", func(t *testing.T) { d.stopsByTable(t) })
			}
		})
	}
}

// isInstalled tells whether a program, or a file with its path, is there.
func isInstalled(program string) bool {
	if filepath.IsAbs(program) {
		_, err := os.Stat(program)
		return err == nil
	}
	_, err := exec.LookPath(program)
	return err == nil
}

// test runs the daemon from start to stop.
func (d daemon) test(t *testing.T, isSealed bool) {
	w := d.start(t, isSealed)
	w.until("it serves", d.serves)
	if d.reload != "" {
		w.reload(func() (string, error) { return w.ctl("signal", d.reload, "daemon") })
	}
	if d.control != "" {
		w.reload(func() (string, error) { return w.outside(d.control) })
		if !isSealed || d.refused == "" {
			w.reload(func() (string, error) { return w.beside(d.control) })
		} else if said, err := w.beside(d.control); err == nil {
			t.Errorf("another sealed job may reload it: %s", said)
		} else {
			t.Logf("refused: %s", said)
		}
	}
	for _, u := range d.lost {
		said, err := w.beside(u.does)
		if (err != nil) != isSealed || isSealed && !strings.Contains(said, u.in) {
			t.Errorf("%s: %v, %s", u.does, err, said)
		}
	}
	w.stop()
}

// world is a cginit with the daemon in a container.
type world struct {
	*pod.Pod
	daemon
	t        *testing.T
	dir      string
	isSealed bool
}

//go:embed enter.sh
var enter string

//go:embed prelude.sh
var prelude string

// command is what cginit executes.
func (d daemon) command() []string { return []string{"sh", "-ec", prelude + d.run} }

func (d daemon) start(t *testing.T, isSealed bool) *world {
	t.Helper()
	dir := pod.OpenDir(t)
	command := d.command()
	command[2] = strings.ReplaceAll(command[2], "$", "$$")
	words, err := json.Marshal(command)
	if err != nil {
		t.Fatal(err)
	}
	file := "services:\n  daemon:\n    command: " + string(words) + "\n    seal: " + strconv.FormatBool(isSealed) + "\n"
	for key := range strings.Lines(d.keys) {
		file += "    " + strings.TrimSuffix(key, "\n") + "\n"
	}
	if err := os.WriteFile(dir+"/cginit.yaml", []byte(file), 0o644); err != nil {
		t.Fatal(err)
	}
	w := &world{daemon: d, t: t, dir: dir, isSealed: isSealed}
	w.Pod = pod.Start(t, pod.Spec{
		Mode: pod.Process1, Report: filepath.Join(dir, "receipts"),
		Wrap: []string{"unshare", "--net", "--", "sh", "-ec", enter, "enter", prelude + d.setup},
		Args: []string{"--config", dir + "/cginit.yaml", "--socket", dir + "/socket"},
	})
	return w
}

// ctl calls cginitctl.
func (w *world) ctl(args ...string) (said string, err error) {
	cmd := exec.Command(harness.Bin(w.t, "cginitctl"), append([]string{"--socket", w.dir + "/socket"}, args...)...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// outside runs a script in the container, not sealed, as docker exec does.
func (w *world) outside(script string) (said string, err error) {
	return w.ctl("run", "--timeout", "60s", "-w", "/", "--", "sh", "-ec", prelude+script)
}

// beside runs a script as another job, which is sealed if the daemon is.
func (w *world) beside(script string) (said string, err error) {
	return w.ctl("run", "--seal="+strconv.FormatBool(w.isSealed), "--timeout", "60s", "-w", "/", "--", "sh", "-ec", prelude+script)
}

// until repeats a script until it succeeds.
func (w *world) until(what, script string) {
	w.t.Helper()
	said := ""
	defer func() {
		if w.t.Failed() {
			w.t.Logf("%s\nstderr: %s", said, w.Stderr())
		}
	}()
	pod.Until(w.t, what, func() (ok bool) {
		var err error
		said, err = w.beside(script)
		return err == nil
	})
}

// reload checks that the daemon is reloaded once more, and serves.
func (w *world) reload(how func() (string, error)) {
	w.t.Helper()
	before := ""
	if w.reloads != "" {
		before, _ = w.outside(w.reloads)
	}
	if said, err := how(); err != nil {
		w.t.Fatalf("cannot reload it: %v: %s", err, said)
	}
	if w.reloads != "" {
		pod.Until(w.t, "it is reloaded", func() bool {
			now, _ := w.outside(w.reloads)
			return now != "" && now != before
		})
	}
	w.until("it serves after a reload", w.serves)
}

// stop ends cginit as docker stop does, and looks at the receipt of the daemon.
func (w *world) stop() {
	w.t.Helper()
	w.Signal(syscall.SIGTERM)
	w.ends()
}

// ends waits for the end of cginit, and looks at the receipt of the daemon.
func (w *world) ends() {
	w.t.Helper()
	r := w.Wait()
	if err := r.Clean(); err != nil {
		w.t.Error(err)
	}
	level := map[bool]string{false: "tree", true: "sealed"}[w.isSealed]
	text, _ := os.ReadFile(w.dir + "/receipts")
	for line := range strings.Lines(string(text)) {
		var receipt struct {
			Job, Cause, Containment string
			ExitStatus              int `json:"exit_status"`
			Killed, Unkillable      int
		}
		if err := json.Unmarshal([]byte(line), &receipt); err != nil {
			w.t.Error(err)
		}
		if receipt.Job != "daemon" {
			continue
		}
		w.t.Logf("receipt: %s", line)
		if receipt.Containment != level || receipt.Cause != "stopped" || receipt.Killed+receipt.Unkillable > 0 || receipt.ExitStatus != w.exit {
			w.t.Errorf("not a clean stop at level %s with %d: %s\nstderr: %s", level, w.exit, line, r.Stderr)
		}
		return
	}
	w.t.Errorf("there is no receipt of the daemon: %s; stderr: %s", text, r.Stderr)
}
