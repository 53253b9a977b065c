// Package self executes our own binary again, for a work of its own, and tells whether a user-mode emulator such
// as qemu-user runs it.
package self

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
)

// Role is what our binary does when we execute it again.
type Role string

// The roles. An entry in assembly (internal/birth) knows Guardian too.
const (
	Exec     Role = "exec"     // prepares a process and executes its command
	Probe    Role = "probe"    // a health check by HTTP or TCP
	Holder   Role = "holder"   // holds the processes of a job where no cgroup does
	Guardian Role = "guardian" // waits for the end of the supervisor
	Remover  Role = "remover"  // follows the guardian, and removes what the supervisor has left
	Detached Role = "detached" // the supervisor in the background
)

// NotForUsers is the error of somebody who gives the arguments of a role.
const NotForUsers = "flags that begin with --self- are cginit's own"

// flag is what the first argument begins with. No personality has such a flag.
const flag = "--self-"

// Args returns the arguments, argv[0] included, with which our binary has a role. The first argument tells it.
// argv[0] is what people see: an emulator can replace it by the path of the binary.
func (r Role) Args(args ...string) []string {
	return append([]string{"cginit-" + string(r), flag + string(r)}, args...)
}

// Is tells whether a process with these arguments, argv[0] included, has the role, and returns the arguments
// that Args was given.
func (r Role) Is(args []string) (rest []string, is bool) {
	if len(args) < 2 || args[1] != flag+string(r) {
		return nil, false
	}
	return args[2:], true
}

// exe is our binary, as the kernel knows it.
const exe = "/proc/self/exe"

// Exe returns the path to execute our binary by. An emulator does not show /proc/self/exe to the kernel in every
// version, so there it is the path that the binary had at the start.
func Exe() string {
	if Emulator() == "" {
		return exe
	}
	path, err := os.Executable()
	if err != nil {
		return exe
	}
	return path
}

// Explain adds to the error of an execution of our binary what is missing where the kernel does not know it.
func Explain(err error) error {
	var known *unregistered
	if emulator := Emulator(); emulator != "" && errors.Is(err, syscall.ENOEXEC) && !errors.As(err, &known) {
		return &unregistered{emulator, err}
	}
	return err
}

// unregistered is the error of an emulator that runs us, but that the kernel does not know.
type unregistered struct {
	emulator string
	err      error
}

func (u *unregistered) Error() string {
	return fmt.Sprintf("%v: %s runs this program, but the kernel cannot start another one of its platform: "+
		"register the emulator with binfmt_misc (Debian's package qemu-user-static does it)", u.err, u.emulator)
}

func (u *unregistered) Unwrap() error { return u.err }

// Emulator returns the name of the user-mode emulator that runs this program, such as "qemu-aarch64"; empty if
// none does. It looks once.
func Emulator() string { return emulator() }

var emulator = sync.OnceValue(findEmulator)

// findEmulator compares two links. An emulator shows its guest the guest's own binary as /proc/self/exe, but not
// below thread-self (since Linux 3.17).
func findEmulator() string {
	for range 3 { // the binary may be moved meanwhile
		before, err := os.Readlink(exe)
		if err != nil {
			return ""
		}
		real, err := os.Readlink("/proc/thread-self/exe")
		if err != nil || real == before {
			return ""
		}
		if after, err := os.Readlink(exe); err == nil && after == before {
			return strings.TrimSuffix(real[strings.LastIndexByte(real, '/')+1:], "-static")
		}
	}
	return ""
}
