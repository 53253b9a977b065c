package engine

import (
	"crypto/rand"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cginit/cginit/test/internal/harness"
)

// Box is one container.
type Box struct {
	Name string
	Mark string // in the environment of every process in it
	Dir  string // the directory that is /shared inside

	*Engine
	t   testing.TB
	id  string
	log *Transcript
}

// Box names a container that does not exist yet.
func (e *Engine) Box(t testing.TB) *Box {
	t.Helper()
	token := strings.ToLower(rand.Text())
	b := &Box{Name: "cginit-test-" + token, Mark: "mark-" + token, Engine: e, Dir: t.TempDir(), t: t}
	if err := os.Chmod(b.Dir, 0o777); err != nil {
		t.Fatal(err)
	}
	harness.ShowTrace(t, filepath.Join(b.Dir, "trace"))
	return b
}

// Flags returns the options of every test's container. The receipts and the trace go to /shared.
func (b *Box) Flags() []string {
	return append([]string{
		"--name", b.Name, "--network", "none", "--volume", b.Dir + ":/shared",
		"--env", "MARK=" + b.Mark, "--env", "CGINIT_REPORT=/shared/receipts", "--env", "CGINIT_TRACE=/shared/trace",
	}, b.Run...)
}

// Start runs cginit with args in a new container that is made with opts.
func (e *Engine) Start(t testing.TB, opts []string, args ...string) *Box {
	t.Helper()
	b := e.Box(t)
	b.Begin(opts, args...)
	return b
}

// Begin makes the container with opts and runs cginit with args in it.
func (b *Box) Begin(opts []string, args ...string) {
	b.t.Helper()
	b.Clean()
	run := append(append([]string{"run", "--detach"}, b.Flags()...), opts...)
	b.id = b.Output(b.t, append(append(run, b.Image), args...)...)
}

// Made returns a container that exists already. Whoever has made it removes it.
func (e *Engine) Made(t testing.TB, name string) *Box { return &Box{Name: name, Engine: e, t: t} }

// Clean removes the container when the test ends.
func (b *Box) Clean() {
	b.t.Cleanup(func() {
		if b.t.Failed() {
			b.t.Logf("the container said:\n%s", b.Afterwards(b.t, "logs", b.Name))
		}
		b.Afterwards(b.t, "rm", "--force", b.Name)
	})
}

// Says waits until the container has written want to its stdout or stderr.
func (b *Box) Says(want string) {
	b.t.Helper()
	if b.log == nil {
		b.log = &Transcript{}
		cmd := b.Command(b.t, "logs", "--follow", b.Name)
		cmd.Stdout, cmd.Stderr = b.log, b.log
		if err := cmd.Start(); err != nil {
			b.t.Fatal(err)
		}
		b.t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	}
	b.log.Until(b.t, want)
}

// Logs returns everything that the container wrote.
func (b *Box) Logs() string {
	b.t.Helper()
	out, err := b.Command(b.t, "logs", b.Name).CombinedOutput()
	if err != nil {
		b.t.Fatal(err)
	}
	return string(out)
}

// Exec runs a command in the container and returns its stdout.
func (b *Box) Exec(args ...string) string {
	b.t.Helper()
	return b.Output(b.t, append([]string{"exec", b.Name}, args...)...)
}

// Wait waits for the end of the container, checks that nothing of it is left, and returns its exit
// status.
func (b *Box) Wait() (status int) {
	b.t.Helper()
	text := b.Output(b.t, "wait", b.Name)
	status, err := strconv.Atoi(text)
	if err != nil {
		b.t.Fatalf("the client's wait printed %q, not a status", text)
	}
	b.Gone()
	return status
}

// Gone checks that nothing of the container is left: no process, and no cgroup that the engine could
// not remove.
func (b *Box) Gone() {
	b.t.Helper()
	if left := marked(b.Mark); len(left) > 0 {
		b.t.Errorf("these processes outlive the container: %v", left)
	}
	if b.V2 != "" && b.id != "" {
		b.Await("the container's cgroup to be removed", func() bool { return b.Cgroup() == "" })
	}
}

// Cgroup returns the container's cgroup as the host sees it, or an empty path if there is none.
func (b *Box) Cgroup() (found string) {
	_ = filepath.WalkDir(b.V2, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && strings.Contains(entry.Name(), b.id) {
			found = path
			return fs.SkipAll
		}
		return nil
	})
	return found
}

// Await polls until a condition holds that no event reports.
func (b *Box) Await(what string, so func() bool) {
	b.t.Helper()
	await(b.t, what, so)
}

func await(t testing.TB, what string, so func() bool) {
	t.Helper()
	deadline, look := time.After(Patience), time.Tick(10*time.Millisecond)
	for !so() {
		select {
		case <-look:
		case <-deadline:
			t.Fatalf("timed out waiting for %s", what)
		}
	}
}

// Runs waits for a process with this command line.
func (b *Box) Runs(command string) {
	b.t.Helper()
	b.Await(command, func() bool { state, _ := b.Running(command); return state != 0 })
}

// Alive waits until at least n processes of the container run. Otherwise a later search that finds none
// would prove nothing.
func (b *Box) Alive(n int) {
	b.t.Helper()
	b.Await(strconv.Itoa(n)+" processes with the mark", func() bool { return len(marked(b.Mark)) >= n })
}

// Receipt returns the receipt that the container's job left. There must be exactly one.
func (b *Box) Receipt() Receipt {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.Dir, "receipts"))
	if err != nil {
		b.t.Fatalf("no receipt: %v", err)
	}
	var r Receipt
	if err := json.Unmarshal(text, &r); err != nil {
		b.t.Fatalf("the report is not exactly one receipt: %v\n%s", err, text)
	}
	return r
}
