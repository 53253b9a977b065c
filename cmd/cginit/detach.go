package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/cginit/cginit/init/config"
)

// detachedName is argv[0] of the supervisor that goes on in the background.
const detachedName = "cginit-detached"

// detach starts the supervisor in the background, in a session of its own, and waits until it
// says that all is up, or ends. Until then its errors go to our stderr.
func detach(args []string) int {
	read, write, err := os.Pipe()
	if err != nil {
		return failed(err)
	}
	pid, err := syscall.ForkExec("/proc/self/exe", append([]string{detachedName}, args...), &syscall.ProcAttr{
		Env: os.Environ(), Files: []uintptr{0, 1, 2, write.Fd()}, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return failed(fmt.Errorf("cannot start in the background: %w", err))
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
		return 0 // all that was to be done is done
	}
	return ws.ExitStatus()
}

// runDetached is the supervisor in the background.
func runDetached(args, env []string) int {
	o, err := config.Parse(args, env)
	if err != nil {
		return failed(err)
	}
	syscall.CloseOnExec(3)
	return supervise(o, env, os.NewFile(3, "whoever waits"))
}
