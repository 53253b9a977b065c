// Command floor is the least that an init in Go can do: it starts a command, waits and exits with the
// command's status. The time that floor takes is the cost of Go. The rest of cginit's time is the cost
// of cginit.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	child := make(chan os.Signal, 1)
	signal.Notify(child, syscall.SIGCHLD)
	pid, err := syscall.ForkExec(os.Args[1], os.Args[1:], &syscall.ProcAttr{
		Env: os.Environ(), Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Setpgid: true},
	})
	if err != nil {
		os.Exit(127)
	}
	for range child {
		var ws syscall.WaitStatus
		for {
			p, err := syscall.Wait4(-1, &ws, syscall.WNOHANG, nil)
			if err != nil || p <= 0 {
				break
			}
			if p == pid {
				os.Exit(ws.ExitStatus())
			}
		}
	}
}
