package engine

import (
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// User is a person at a terminal, as docker run -it sees one.
type User struct {
	t        testing.TB
	Terminal *os.File
	Sees     Transcript
}

// Sit gives cmd a terminal of its own and starts it.
func Sit(t testing.TB, cmd *exec.Cmd) *User {
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
	u := &User{t: t, Terminal: terminal}
	u.Resizes(24, 80)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("on the screen:\n%s", &u.Sees)
		}
		terminal.Close()
	})
	go func() { _, _ = io.Copy(&u.Sees, terminal) }() // ends when the last process has closed the other end
	return u
}

// Types types keys.
func (u *User) Types(keys string) {
	u.t.Helper()
	if _, err := io.WriteString(u.Terminal, keys); err != nil {
		u.t.Fatal(err)
	}
}

// Resizes gives the terminal another size.
func (u *User) Resizes(rows, columns uint16) {
	u.t.Helper()
	if err := unix.IoctlSetWinsize(int(u.Terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns}); err != nil {
		u.t.Fatal(err)
	}
}

// Saw returns a function that looks for a word on the screen. The screen also shows what is typed, so
// type words to wait for in another form.
func (u *User) Saw(word string) func() bool {
	return func() bool { return strings.Contains(u.Sees.String(), word) }
}

// Insists types the keys, and types them again now and then until they have the effect. The kernel
// discards pending input when a key sends a signal.
func (u *User) Insists(keys string, so func() bool) {
	u.t.Helper()
	var next time.Time
	await(u.t, strconv.Quote(keys)+" to have an effect", func() bool {
		if so() {
			return true
		}
		if now := time.Now(); now.After(next) {
			u.Types(keys)
			next = now.Add(3 * time.Second)
		}
		return false
	})
}
