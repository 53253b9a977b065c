package child

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"syscall"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/internal/self"
)

// Setup is what the exec helper does before it executes the command. Descriptors are numbers in the
// helper; -1 means that there is none.
type Setup struct {
	// Path is the program that is executed.
	Path string
	// Terminal is a terminal. With OwnTerminal it becomes the controlling terminal of the helper's
	// session. Otherwise the helper's process group becomes its foreground group.
	Terminal    int
	OwnTerminal bool
	// Status is the pipe that the helper writes an error to. A successful exec closes it.
	Status int
	// Ready is the pipe that the command reports its readiness on, and ReadyAs its number there.
	Ready, ReadyAs int
	// Identity is the user and the rights that the command runs with.
	Identity config.Identity
	// ListenPid sets LISTEN_PID to the pid of the command (sd_listen_fds(3)).
	ListenPid bool
}

// Args returns the arguments of the exec helper for a command with the arguments args.
func (u *Setup) Args(args []string) ([]string, error) {
	text, err := json.Marshal(u)
	if err != nil {
		return nil, err
	}
	return self.Exec.Args(append([]string{string(text)}, args...)...), nil
}

// Failure returns the error that the exec helper has written to its status pipe. It returns nil for
// an empty report, which means that the command was executed. An error of the exec is an
// [*ExecError].
func Failure(report string) error {
	errno, text, ok := strings.Cut(report, " ")
	if !ok {
		return nil
	}
	number, err := strconv.Atoi(errno)
	if err != nil || number == 0 {
		return errors.New(text)
	}
	return &ExecError{Path: text, Err: syscall.Errno(number)}
}
