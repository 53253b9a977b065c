package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/control"
	"golang.org/x/sys/unix"
)

// signals receives the signals that cginitctl gets while the command runs.
type signals struct {
	in       chan os.Signal
	terminal *terminal // nil: the command has none
}

// catch begins to receive signals. It is called before the command is started, so that none is lost.
func catch(t *terminal) *signals {
	s := &signals{make(chan os.Signal, 16), t}
	signal.Notify(s.in, unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2,
		unix.SIGWINCH)
	return s
}

// forward passes the signals on to the command. The second request to end ends the lease, and cginitctl
// ends when nothing is left of the run. At the third request it does not wait for that.
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
		case sig == unix.SIGHUP && s.terminal != nil: // the terminal is closed, so nobody can ask a second time
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
			// This fails if the run has ended. Then cginitctl ends too.
			_ = l.Signal(config.SignalName(sig))
		}
	}
}

// letGo replaces stdin and stdout by /dev/null when the command has them: the process at the other end of
// a pipe must see its end when the command closes it.
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
