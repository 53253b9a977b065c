package proctree

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/cginit/cginit/internal/self"
)

// exeAtStart is the path of our binary. It is looked up at once, because /proc may be unmounted
// later.
var exeAtStart, exeError = os.Executable()

// launch executes our binary as a holder and returns its pid. socket is the holder's end of the
// socket pair. It becomes descriptors 0, 1 and 2, so that the holder holds nothing else open.
func launch(socket int, p Place) (pid int, err error) {
	exe, err := ourBinary()
	if err != nil {
		return 0, err
	}
	// The holder begins with all signals blocked. The mask that its job is to have is an argument.
	before, err := blockSignals()
	if err != nil {
		return 0, err
	}
	defer restoreSignals(before)
	s := uintptr(socket)
	return syscall.ForkExec(exe, self.Holder.Args(fmt.Sprint(maskOf(before.Val[:]))), &syscall.ProcAttr{
		Env:   holderEnv,
		Files: []uintptr{s, s, s},
		Sys:   &syscall.SysProcAttr{Setsid: !p.SameSession, Setpgid: p.SameSession},
	})
}

// holderEnv is the environment of a holder. These settings of the runtime do not reach the job, whose
// environment is in its order. There is one P for each of the two goroutines. There is no garbage
// collector, because what a holder allocates it allocates before its job starts.
var holderEnv = []string{"GOMAXPROCS=2", "GOGC=off"}

// ourBinary returns a path of our binary. It finds one without /proc too, unless the binary has
// been moved since the start.
func ourBinary() (string, error) {
	exe := self.Exe()
	if _, err := os.Stat(exe); err == nil {
		return exe, nil
	}
	if exeError != nil && strings.HasPrefix(os.Args[0], "/") {
		return os.Args[0], nil // there has been no /proc from the start
	}
	return exeAtStart, exeError
}
