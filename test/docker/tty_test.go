package docker

import (
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/cginit/cginit/test/internal/engine"
	"golang.org/x/sys/unix"
)

// TestTerminal checks that a shell under docker run -it works as without cginit.
func TestTerminal(t *testing.T) {
	d := v2(t)
	for level, opts := range map[string][]string{"pidns": nil, "cgroup": d.writable, "tree": {"--init"}} {
		t.Run(level, func(t *testing.T) {
			t.Parallel()
			b := d.Box(t)
			b.Clean()
			run := append(append([]string{"run", "--interactive", "--tty"}, b.Flags()...), opts...)
			cmd := b.Command(t, append(run, b.Image, "--", "sh")...)
			u := engine.Sit(t, cmd)
			jobControl(t, u, b)
			windowSize(t, u, b, cmd.Process)
			u.Types("exit 7\n")
			var exit *exec.ExitError
			if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 7 {
				t.Errorf("docker run ended with %v, not 7", err)
			}
			b.Gone()
			if r := b.Receipt(); r.Cause != "exited" || r.ExitStatus != 7 || r.Killed != 0 || r.Containment != level {
				t.Errorf("the receipt is wrong: %+v", r)
			}
		})
	}
}

// jobControl does what a person does with commands at a shell. It looks at the states of processes and
// not at the words of the shell, because a key that sends a signal discards words that are under way.
func jobControl(t *testing.T, u *engine.User, b *engine.Box) {
	t.Helper()
	is := func(command string, want byte) func() bool {
		return func() bool { state, _ := b.Running(command); return state == want }
	}
	u.Insists("echo the shell is u''p\n", u.Saw("the shell is up"))
	u.Insists("sleep 1001\n", is("sleep 1001", 'S'))
	u.Insists("\x03", is("sleep 1001", 0)) // Ctrl-C

	u.Insists("sleep 1002\n", is("sleep 1002", 'S'))
	u.Insists("\x1a", is("sleep 1002", 'T')) // Ctrl-Z
	u.Insists("jobs\n", u.Saw("Stopped"))
	u.Insists("bg\n", is("sleep 1002", 'S'))
	u.Insists("jobs\n", u.Saw("Running"))
	u.Insists("fg\n", func() bool { _, foreground := b.Running("sleep 1002"); return foreground })
	u.Insists("\x03", is("sleep 1002", 0))
	u.Insists("echo still h''ere\n", u.Saw("still here"))
}

// windowSize checks that a new size of the terminal reaches the job. The kernel sends SIGWINCH before
// it sets the size, so a program that looks at once may see the old size. So the client gets the signal
// a second time, and the job looks until it sees the new size.
func windowSize(t *testing.T, u *engine.User, b *engine.Box, client *os.Process) {
	t.Helper()
	u.Insists(`sh -c "trap 'echo win''dow' WINCH; echo tra''pped; until stty size | grep -q '33 101'; do usleep 10000; done; echo re''sized"`+"\n",
		u.Saw("trapped"))
	u.Resizes(33, 101)
	if err := client.Signal(unix.SIGWINCH); err != nil {
		t.Fatal(err)
	}
	b.Await("the signal", u.Saw("window"))
	b.Await("the size", u.Saw("resized"))
	u.Insists("echo at the pro''mpt\n", u.Saw("at the prompt"))
}
