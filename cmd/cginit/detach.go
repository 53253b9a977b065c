package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/internal/birth"
	"github.com/cginit/cginit/internal/self"
)

// detach starts the supervisor in the background, in a session of its own and with the same stdin, stdout
// and stderr. It waits until everything is up or the supervisor has ended, and returns the exit status.
// When everything is up, it prints the pid of the supervisor and returns 0.
func detach(args []string) int {
	read, write, err := os.Pipe()
	if err != nil {
		return failed(err)
	}
	pid, err := syscall.ForkExec(self.Exe(), self.Detached.Args(args...), &syscall.ProcAttr{
		Env: birth.Environ(os.Environ), Files: []uintptr{0, 1, 2, write.Fd()}, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return failed(fmt.Errorf("cannot start in the background: %w", self.Explain(err)))
	}
	write.Close()
	said, _ := io.ReadAll(read)
	if strings.TrimSpace(string(said)) == "up" {
		fmt.Println(strconv.Itoa(pid))
		return 0
	}
	var ws syscall.WaitStatus
	for {
		if _, err := syscall.Wait4(pid, &ws, 0, nil); err != syscall.EINTR {
			break
		}
	}
	switch {
	case ws.Signaled():
		return 128 + int(ws.Signal())
	case ws.ExitStatus() == 0 && string(said) != "up\n":
		return 0 // all of its work was done before it said that it is up
	}
	return ws.ExitStatus()
}

// runDetached runs the supervisor in the background. Descriptor 3 is the pipe to the waiting detach.
func runDetached(args, env []string) int {
	var pipe syscall.Stat_t
	if err := syscall.Fstat(3, &pipe); err != nil || pipe.Mode&syscall.S_IFMT != syscall.S_IFIFO {
		return failed(errors.New(self.NotForUsers))
	}
	o, err := config.Parse(args, env)
	if err != nil {
		return failed(err)
	}
	syscall.CloseOnExec(3)
	return supervise(o, env, os.NewFile(3, "pipe to cginit --detach"))
}
