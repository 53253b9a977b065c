package child

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"syscall"

	"github.com/cginit/cginit/init/config"
)

// SelfExe is our own binary, for the processes of ours that are it once more.
const SelfExe = "/proc/self/exe"

// Setup is what the exec helper is to do before it executes the command. Descriptors are numbers
// in the helper; -1 says that there is nothing to do with one.
type Setup struct {
	// Path is the program that is executed.
	Path string
	// Join is cgroup.procs of the cgroup that the helper enters.
	Join int
	// Terminal is the terminal whose foreground process group the helper becomes, or, with
	// OwnTerminal, the one that becomes the controlling terminal of its session.
	Terminal    int
	OwnTerminal bool
	// Status is the pipe for what fails; the exec closes it.
	Status int
	// Ready is what the command writes its readiness to, and ReadyAs the number that it has there.
	Ready, ReadyAs int
	// Identity is whom the command runs as, with what rights.
	Identity config.Identity
	// ListenPid has LISTEN_PID name the command (sd_listen_fds(3)).
	ListenPid bool
}

// Args returns the arguments of the exec helper, args being those of the command.
func (u *Setup) Args(args []string) ([]string, error) {
	text, err := json.Marshal(u)
	if err != nil {
		return nil, err
	}
	return append([]string{execName, string(text)}, args...), nil
}

// Failure parses what the exec helper has written to its status pipe. nil says that nothing went
// wrong: the command was executed.
func Failure(report string) error {
	errno, text, ok := strings.Cut(report, " ")
	if !ok {
		return nil
	}
	number, err := strconv.Atoi(errno)
	if err != nil || number == 0 {
		return errors.New(text)
	}
	return &ExecError{text, syscall.Errno(number)}
}
