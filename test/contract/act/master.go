package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"

	"golang.org/x/sys/unix"
)

// master says READY=1 and is then a server that can be upgraded: at SIGUSR2 it starts "act serve
// NAME-new", names it its main process (MAINPID), and goes on beside it. It waits for that child.
func master(args []string) error {
	name := args[0]
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGTERM, unix.SIGUSR2)
	if err := await([]string{"READY=1"}); err != nil {
		return err
	}
	if err := note("%s up", name); err != nil {
		return err
	}
	ended := make(chan error)
	for {
		select {
		case sig := <-signals:
			if sig != unix.SIGUSR2 {
				return note("%s SIGTERM", name)
			}
			self, err := os.Executable()
			if err != nil {
				return err
			}
			cmd := exec.Command(self, "serve", name+"-new")
			if err := cmd.Start(); err != nil {
				return err
			}
			if err := await([]string{fmt.Sprintf("MAINPID=%d", cmd.Process.Pid)}); err != nil {
				return err
			}
			if err := note("%s named", name); err != nil {
				return err
			}
			go func() { ended <- cmd.Wait() }()
		case <-ended:
			if err := note("%s-new ended", name); err != nil {
				return err
			}
		}
	}
}
