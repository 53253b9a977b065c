package chaos

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

// terminal is a pseudo terminal, the program in its foreground, and a person who types.
type terminal struct {
	t      *testing.T
	master *os.File
	cmd    *exec.Cmd

	mutex  sync.Mutex
	output string // everything that the terminal has shown
	seen   int    // how much of output expect has consumed
}

// openTerminal starts a program as login does: the program leads the session of a new terminal.
func openTerminal(t *testing.T, name string, args ...string) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		harness.Missing(t, "a pseudo terminal")
	}
	t.Cleanup(func() { master.Close() })
	term := &terminal{t: t, master: master}
	var n int
	term.control(func(fd int) (err error) { n, err = unix.IoctlGetInt(fd, unix.TIOCGPTN); return err })
	term.control(func(fd int) error { return unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0) })
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer slave.Close()
	cmd := exec.Command(harness.Command(t, name), args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.Env = append(os.Environ(), "PS1=prompt> ", "TERM=dumb", "HISTFILE=", "cginit="+harness.Bin(t, "cginit"), harness.Trace(t, pod.OpenDir(t)))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	box := pod.Enclose(t, cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	term.cmd = cmd
	go term.show()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the terminal showed %q", term.output)
		}
		var left error
		defer func() {
			if left != nil {
				t.Logf("processes left on the terminal: %v", left)
			}
		}()
		pod.Until(t, "everything on the terminal ends", func() bool { left = box.Clean(); return left == nil || t.Failed() })
	})
	return term
}

// control calls f with the descriptor of the master. It goes through SyscallConn, so that Close can
// still end a pending Read.
func (term *terminal) control(f func(fd int) error) {
	term.t.Helper()
	conn, err := term.master.SyscallConn()
	if err == nil {
		if e := conn.Control(func(fd uintptr) { err = f(int(fd)) }); e != nil {
			err = e
		}
	}
	if err != nil {
		term.t.Fatal(err)
	}
}

func (term *terminal) show() {
	buf := make([]byte, 4096)
	for {
		n, err := term.master.Read(buf)
		if err != nil {
			return
		}
		term.mutex.Lock()
		term.output += string(buf[:n])
		term.mutex.Unlock()
	}
}

// expect waits until the terminal shows text, after the text of the previous call.
func (term *terminal) expect(text string) {
	term.t.Helper()
	pod.Until(term.t, fmt.Sprintf("%q is shown", text), func() bool {
		term.mutex.Lock()
		defer term.mutex.Unlock()
		at := strings.Index(term.output[term.seen:], text)
		if at >= 0 {
			term.seen += at + len(text)
		}
		return at >= 0
	})
}

// types sends text to the terminal as if a person typed it.
func (term *terminal) types(text string) {
	term.t.Helper()
	if _, err := term.master.WriteString(text); err != nil {
		term.t.Fatal(err)
	}
}

// foreground returns the foreground process group of the terminal.
func (term *terminal) foreground() (group int) {
	term.t.Helper()
	term.control(func(fd int) (err error) { group, err = unix.IoctlGetInt(fd, unix.TIOCGPGRP); return err })
	return group
}

// ends waits for the program and checks its exit status.
func (term *terminal) ends(status int) {
	term.t.Helper()
	_ = term.cmd.Wait() // the status is checked below
	if got := term.cmd.ProcessState.ExitCode(); got != status {
		term.t.Errorf("the program on the terminal ended with %d, not %d", got, status)
	}
}
