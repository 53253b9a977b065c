package docker

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cginit/cginit/test/internal/engine"
	"golang.org/x/sys/unix"
)

// user is a person at a terminal, as docker run -it sees one.
type user struct {
	t        *testing.T
	terminal *os.File
	sees     engine.Transcript
}

// sit gives cmd a terminal of its own and starts it.
func sit(t *testing.T, cmd *exec.Cmd) *user {
	t.Helper()
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(terminal.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	end, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer end.Close()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = end, end, end
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	u := &user{t: t, terminal: terminal}
	u.resizes(24, 80)
	t.Cleanup(func() { terminal.Close() })
	go func() { _, _ = io.Copy(&u.sees, terminal) }() // ends with the last who has the other end
	return u
}

func (u *user) types(keys string) {
	u.t.Helper()
	if _, err := io.WriteString(u.terminal, keys); err != nil {
		u.t.Fatal(err)
	}
}

func (u *user) resizes(rows, columns uint16) {
	u.t.Helper()
	if err := unix.IoctlSetWinsize(int(u.terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns}); err != nil {
		u.t.Fatal(err)
	}
}

// A shell under docker run -it is as it is without cginit.
func TestTerminal(t *testing.T) {
	d := v2(t)
	for level, opts := range map[string][]string{"pidns": nil, "cgroup": d.writable, "tree": {"--init"}} {
		t.Run(level, func(t *testing.T) {
			t.Parallel()
			b := d.Box(t)
			b.Clean()
			run := append(append([]string{"run", "--interactive", "--tty"}, b.Flags()...), opts...)
			cmd := b.Command(t, append(run, b.Image, "--", "sh")...)
			u := sit(t, cmd)
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("on the screen:\n%s", &u.sees)
				}
			})
			u.jobControl(b)
			u.windowSize(b, cmd.Process)
			u.types("exit 7\n")
			var exit *exec.ExitError
			if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 7 {
				t.Errorf("docker run ended with %v, not 7", err)
			}
			b.Gone()
			if r := b.Receipt(); r.Cause != "exited" || r.ExitStatus != 7 || r.Killed != 0 || r.Containment != level {
				t.Errorf("the receipt tells another story: %+v", r)
			}
		})
	}
}

// jobControl is what a person does with commands in front of a shell. The evidence is what the
// processes are, not what the shell says: words under way while a key sends a signal are lost.
func (u *user) jobControl(b *engine.Box) {
	u.t.Helper()
	is := func(command string, want byte) func() bool {
		return func() bool { state, _ := b.Running(command); return state == want }
	}
	u.insists(b, "echo the shell is u''p\n", u.saw("the shell is up"))
	u.insists(b, "sleep 1001\n", is("sleep 1001", 'S'))
	u.insists(b, "\x03", is("sleep 1001", 0)) // Ctrl-C

	u.insists(b, "sleep 1002\n", is("sleep 1002", 'S'))
	u.insists(b, "\x1a", is("sleep 1002", 'T')) // Ctrl-Z
	u.insists(b, "jobs\n", u.saw("Stopped"))
	u.insists(b, "bg\n", is("sleep 1002", 'S'))
	u.insists(b, "jobs\n", u.saw("Running"))
	u.insists(b, "fg\n", func() bool { _, foreground := b.Running("sleep 1002"); return foreground })
	u.insists(b, "\x03", is("sleep 1002", 0))
	u.insists(b, "echo still h''ere\n", u.saw("still here"))
}

// The kernel sends SIGWINCH to the foreground before it sets the size, so who looks at once may
// see the old one: the client is told a second time, and the job looks until it sees the new one.
func (u *user) windowSize(b *engine.Box, client *os.Process) {
	u.t.Helper()
	u.insists(b, `sh -c "trap 'echo win''dow' WINCH; echo tra''pped; until stty size | grep -q '33 101'; do usleep 10000; done; echo re''sized"`+"\n",
		u.saw("trapped"))
	u.resizes(33, 101)
	if err := client.Signal(unix.SIGWINCH); err != nil {
		u.t.Fatal(err)
	}
	b.Await("the signal", u.saw("window"))
	b.Await("the size", u.saw("resized"))
	u.insists(b, "echo at the pro''mpt\n", u.saw("at the prompt"))
}

// saw looks for a word on the screen. What is typed is there too, as an echo, so words to wait
// for are typed differently.
func (u *user) saw(word string) func() bool {
	return func() bool { return strings.Contains(u.sees.String(), word) }
}

// insists types the keys until they have the effect, now and then again: the kernel throws away
// what waits to be read when a key sends a signal.
func (u *user) insists(b *engine.Box, keys string, so func() bool) {
	u.t.Helper()
	var next time.Time
	b.Await(strconv.Quote(keys)+" to have an effect", func() bool {
		if so() {
			return true
		}
		if now := time.Now(); now.After(next) {
			u.types(keys)
			next = now.Add(3 * time.Second)
		}
		return false
	})
}
