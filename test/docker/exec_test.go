package docker

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/cginit/cginit/test/internal/engine"
	"github.com/cginit/cginit/test/internal/harness"
)

// TestExecTerminal checks that a shell and an editor that cginitctl starts under docker exec -it work
// as without cginit, and that nothing of them is left when the shell has ended.
func TestExecTerminal(t *testing.T) {
	d := v2(t)
	for level, opts := range map[string][]string{"cgroup": d.writable, "tree": nil} {
		t.Run(level, func(t *testing.T) {
			t.Parallel()
			b := withSocket(t, d, opts)
			run := []string{"exec", "--interactive", "--tty", b.Name, "/shared/cginitctl", "--socket", "/shared/socket", "run", "--name", "shell", "--", "sh"}
			cmd := b.Command(t, run...)
			u := engine.Sit(t, cmd)
			jobControl(t, u, b)
			windowSize(t, u, b, cmd.Process)
			edit(t, u, b)
			u.Types("sleep 1003 & exit 7\n")
			var exit *exec.ExitError
			if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 7 {
				t.Errorf("docker exec ended with %v, not 7", err)
			}
			if state, _ := b.Running("sleep 1003"); state != 0 {
				t.Errorf("a process that the shell has left still runs, in state %c", state)
			}
			if state, _ := b.Running("sleep 1000"); state == 0 {
				t.Error("the service has ended")
			}
		})
	}
}

// withSocket starts a container with one service and a control socket.
func withSocket(t *testing.T, d *daemon, opts []string) *engine.Box {
	t.Helper()
	b := d.Box(t)
	b.Clean()
	ctl, err := os.ReadFile(harness.Bin(t, "cginitctl"))
	if err == nil {
		err = os.WriteFile(filepath.Join(b.Dir, "cginitctl"), ctl, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(b.Dir, "cginit.yaml"), []byte("services: {idle: {command: sleep 1000}}\n"), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	run := append(append([]string{"run", "--detach"}, b.Flags()...), opts...)
	d.Output(t, append(run, b.Image, "--config", "/shared/cginit.yaml", "--socket", "/shared/socket")...)
	b.Await("the service", func() bool { state, _ := b.Running("sleep 1000"); return state != 0 })
	return b
}

// edit writes a file with vi.
func edit(t *testing.T, u *engine.User, b *engine.Box) {
	t.Helper()
	note := filepath.Join(b.Dir, "note")
	runs := func(want bool) func() bool {
		return func() bool {
			state, foreground := b.Running("vi /shared/note")
			return (state != 0 && foreground) == want
		}
	}
	u.Insists("vi /shared/note\n", runs(true))
	u.Types("iwritten by hand")
	b.Await("the words", u.Saw("written by hand"))
	// Escape must be typed alone: with more keys it would be a function key.
	u.Insists("\x1b", u.Saw("- /shared/note [Modified]"))
	u.Types(":wq\n")
	b.Await("the editor's end", runs(false))
	if text, err := os.ReadFile(note); string(text) != "written by hand\n" {
		t.Errorf("the file has %q, %v", text, err)
	}
}
