// Command cgroups is the least that an init in Go can do with cgroups: it makes two of them, one in the
// other, has a command born in the inner one, waits, removes both and exits with the command's status.
// usage: cgroups DIR COMMAND...
package main

import (
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

func main() {
	child := make(chan os.Signal, 1)
	signal.Notify(child, syscall.SIGCHLD)
	outer := os.Args[1] + "/floor." + strconv.Itoa(os.Getpid())
	inner := outer + "/main"
	if syscall.Mkdir(outer, 0o755) != nil || syscall.Mkdir(inner, 0o755) != nil {
		os.Exit(125)
	}
	fd, err := syscall.Open(inner, syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		os.Exit(125)
	}
	pid, err := syscall.ForkExec(os.Args[2], os.Args[2:], &syscall.ProcAttr{
		Env: os.Environ(), Files: []uintptr{0, 1, 2},
		Sys: &syscall.SysProcAttr{Setpgid: true, UseCgroupFD: true, CgroupFD: fd},
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
				if syscall.Rmdir(inner) != nil || syscall.Rmdir(outer) != nil {
					os.Exit(125)
				}
				os.Exit(ws.ExitStatus())
			}
		}
	}
}
