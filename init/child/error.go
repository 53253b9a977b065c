package child

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cginit/cginit/init/status"
	"golang.org/x/sys/unix"
)

// ExecError says that a command cannot be executed because of the command itself. Path is the
// program and Err the reason, which wraps an errno. What is what cannot be done with the path; empty: execute.
type ExecError struct {
	What string
	Path string
	Err  error
}

// Error returns the message. Where the bare error misleads, it adds the usual reason.
func (e *ExecError) Error() string {
	hint := ""
	switch {
	case e.What != "":
	case errors.Is(e.Err, unix.ENOENT) && strings.Contains(e.Path, "/") && exists(e.Path):
		hint = " (the file is there: the interpreter of its first line, or its dynamic loader, is not)"
	case errors.Is(e.Err, unix.ENOEXEC):
		hint = " (not a program for this machine)"
	}
	return fmt.Sprintf("cannot %s %s: %v%s", cmp.Or(e.What, "execute"), e.Path, e.Err, hint)
}

// Unwrap returns Err.
func (e *ExecError) Unwrap() error { return e.Err }

// ExitStatus returns the exit status for a command that could not be started: 127 if it was not
// found, 126 if it cannot be executed, 125 if the command is not at fault.
func ExitStatus(err error) int {
	var exec *ExecError
	switch {
	case !errors.As(err, &exec):
		return status.Failed
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return status.NotFound
	}
	return status.NotExecutable
}

// IsBusy tells whether a fork or an exec that failed with this error may succeed a little later.
func IsBusy(err error) bool {
	for _, errno := range []error{unix.EAGAIN, unix.ENOMEM, unix.ETXTBSY, unix.EMFILE, unix.ENFILE, unix.ENOBUFS} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// exists tells whether the file exists and can be reached.
func exists(file string) bool { _, err := os.Stat(file); return err == nil }
