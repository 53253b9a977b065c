package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/control"
	"golang.org/x/sys/unix"
)

// signals are those that we get while the command runs.
type signals struct {
	in       chan os.Signal
	terminal *terminal // nil: none
}

// catch begins to catch them before the command can have started: none is lost.
func catch(t *terminal) *signals {
	s := &signals{make(chan os.Signal, 16), t}
	signal.Notify(s.in, unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH)
	return s
}

// forward sends them on. Whoever asks us twice to end means it: the lease ends, and we when
// nothing is left of the run. The third time we do not wait for that.
func (s *signals) forward(l *control.Lease) {
	asked := 0
	for received := range s.in {
		sig := received.(syscall.Signal)
		switch {
		case sig == unix.SIGWINCH && s.terminal != nil:
			s.terminal.resize()
			continue
		case sig == unix.SIGWINCH:
			continue
		case sig == unix.SIGHUP && s.terminal != nil: // nobody is there any more
			asked = 1
			fallthrough
		case sig == unix.SIGINT || sig == unix.SIGTERM:
			asked++
		}
		switch asked {
		case 2:
			_ = l.End()
		case 3:
			s.terminal.restore()
			os.Exit(128 + int(sig))
		default:
			// It fails when the run has ended, and we do then too.
			_ = l.Signal(config.SignalName(sig))
		}
	}
}

// letGo lets go of stdin and stdout, which are the command's now: who is at the other end of
// a pipe is to see the end when the command closes it.
func (r *runFlags) letGo() error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	if err := unix.Dup3(int(null.Fd()), 0, 0); err != nil {
		return err
	}
	if r.report == "-" {
		return nil
	}
	return unix.Dup3(int(null.Fd()), 1, 0)
}
