package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// terminal is a new terminal for the command. The command is a child of the supervisor and not in the
// session of cginitctl, so the terminal of cginitctl cannot be its controlling terminal. cginitctl copies
// between the two, as ssh does.
type terminal struct {
	master, slave *os.File
	ours          *term.State   // the settings of cginitctl's terminal; nil: they were not changed
	output        chan struct{} // closed when the output of the command has ended
}

// finishWait is the longest wait for the last output of the command.
const finishWait = time.Second

// isTerminal reports whether a descriptor is a terminal. It takes a number, because os.File.Fd can change
// the mode of the file, which other processes share.
func isTerminal(fd int) bool { return term.IsTerminal(fd) }

// openTerminal opens a new terminal for the user u; nil: for the user of cginitctl.
func openTerminal(u *specs.User) (*terminal, error) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		return nil, err
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		return nil, err
	}
	// os.OpenFile would make the terminal non-blocking, for the command too.
	name := fmt.Sprintf("/dev/pts/%d", n)
	fd, err := unix.Open(name, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	slave := os.NewFile(uintptr(fd), name)
	if u != nil {
		_ = slave.Chown(int(u.UID), -1) // without it the command could not open the terminal by its name
	}
	t := &terminal{master: master, slave: slave, output: make(chan struct{})}
	t.resize()
	return t, nil
}

// files returns stdin, stdout and stderr for the command: the new terminal for stdin and for those that
// are a terminal, and the given files for the others.
func (t *terminal) files(ours []*os.File) []*os.File {
	files := []*os.File{t.slave, ours[1], ours[2]}
	for fd := 1; fd <= 2; fd++ {
		if isTerminal(fd) {
			files[fd] = t.slave
		}
	}
	return files
}

// begin starts to copy input and output. It sets the terminal of cginitctl to raw mode: keys such as
// Ctrl-C become signals in the terminal of the command.
func (t *terminal) begin() (err error) {
	t.slave.Close()
	if isTerminal(0) {
		if t.ours, err = term.MakeRaw(0); err != nil {
			return err
		}
	}
	go func() {
		_, _ = io.Copy(t.master, os.Stdin)
		_, _ = t.master.Write([]byte{4}) // Ctrl-D, the end of the input
	}()
	go func() {
		_, _ = io.Copy(os.Stdout, t.master) // it ends with EIO when the command has closed the terminal
		close(t.output)
	}()
	return nil
}

// finish waits for the last output, and restores the settings of the terminal of cginitctl.
func (t *terminal) finish() {
	select {
	case <-t.output:
	case <-time.After(finishWait):
	}
	t.restore()
}

// restore restores the settings of the terminal of cginitctl, if begin has changed them.
func (t *terminal) restore() {
	if t != nil && t.ours != nil {
		_ = term.Restore(0, t.ours)
	}
}

// resize gives the terminal the size of that of cginitctl.
func (t *terminal) resize() {
	for fd := range 3 {
		if size, err := unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ); err == nil {
			_ = unix.IoctlSetWinsize(int(t.master.Fd()), unix.TIOCSWINSZ, size)
			return
		}
	}
}
