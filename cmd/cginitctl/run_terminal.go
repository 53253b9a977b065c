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

// terminal is one that we make for the command. The command is a child of the supervisor and
// not in our session, so ours cannot be its controlling terminal: it gets a new one, and we
// copy between the two, as ssh does.
type terminal struct {
	master, slave *os.File
	ours          *term.State // how our own terminal was set; nil: it is as it was, or there is none
	output        chan struct{}
}

// finishWait is for what the command wrote last.
const finishWait = time.Second

// isTerminal takes the number of one of our first three descriptors: to ask the file for it
// could change its mode, which others share.
func isTerminal(fd int) bool { return term.IsTerminal(fd) }

// openTerminal makes the terminal, for the user u, nil for ourselves.
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
	// Not os.OpenFile, which would make it non-blocking, and so the command's.
	name := fmt.Sprintf("/dev/pts/%d", n)
	fd, err := unix.Open(name, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	slave := os.NewFile(uintptr(fd), name)
	if u != nil {
		_ = slave.Chown(int(u.UID), -1) // else it can use it, but not open it by name
	}
	t := &terminal{master: master, slave: slave, output: make(chan struct{})}
	t.resize()
	return t, nil
}

// files puts the terminal in the place of what is one, and of stdin.
func (t *terminal) files(ours []*os.File) []*os.File {
	files := []*os.File{t.slave, ours[1], ours[2]}
	for fd := 1; fd <= 2; fd++ {
		if isTerminal(fd) {
			files[fd] = t.slave
		}
	}
	return files
}

// begin passes on what is typed and written. Each key is the command's: its terminal makes
// signals of them, ours does not.
func (t *terminal) begin() (err error) {
	t.slave.Close()
	if isTerminal(0) {
		if t.ours, err = term.MakeRaw(0); err != nil {
			return err
		}
	}
	go func() {
		_, _ = io.Copy(t.master, os.Stdin)
		_, _ = t.master.Write([]byte{4}) // end of file, as Ctrl-D says it
	}()
	go func() {
		_, _ = io.Copy(os.Stdout, t.master) // it ends with EIO when the command has closed it
		close(t.output)
	}()
	return nil
}

// finish waits for the last of what was written, and sets our own terminal as it was.
func (t *terminal) finish() {
	select {
	case <-t.output:
	case <-time.After(finishWait):
	}
	t.restore()
}

func (t *terminal) restore() {
	if t != nil && t.ours != nil {
		_ = term.Restore(0, t.ours)
	}
}

// resize gives it the size of ours.
func (t *terminal) resize() {
	for fd := range 3 {
		if size, err := unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ); err == nil {
			_ = unix.IoctlSetWinsize(int(t.master.Fd()), unix.TIOCSWINSZ, size)
			return
		}
	}
}
