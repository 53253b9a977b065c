package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const direct = "no init, straight to the command"

// signals measures how long a signal takes from its sender through the init to the command, which tells
// when it came. Each round is a new init and some hundred signals.
func signals(l *lab) ([]*figure, error) {
	all := slices.DeleteFunc(l.inits(), func(s subject) bool { return s.name == floor || s.name == floorCgroups })
	all[0].name = direct
	latencies := make([][]float64, len(all))
	rows := l.interleave("signals", l.pick(30, 8), names(all), func(i int) ([]float64, error) {
		fifo, err := l.fifo()
		if err != nil {
			return nil, err
		}
		defer fifo.Close()
		w, err := l.enter(append(all[i].prefix, l.program("sleeper"), fifo.Name()), inside{first: all[i].prefix != nil}, nil)
		if err != nil {
			return nil, err
		}
		defer w.end()
		e, err := openEcho(w.pid, fifo)
		if err != nil {
			return nil, err
		}
		defer e.close()
		for range 200 {
			took, err := e.ask(10 * time.Second)
			if err != nil {
				return nil, err
			}
			latencies[i] = append(latencies[i], us(took))
			nap(200 * time.Microsecond) // everything is asleep again
		}
		return []float64{0, 0}, nil
	})
	for i := range rows {
		if rows[i].Cells[0].Runs > 0 {
			slices.Sort(latencies[i])
			rows[i].Cells = []cell{quantileCell(latencies[i], 0.5), quantileCell(latencies[i], 0.99)}
		}
	}
	f := &figure{
		Title: "A signal to the command",
		Note: "From before kill(2) on the init, as process 1, until SIGUSR1 has woken the command up, which reads the clock. All " +
			"processes are asleep before. The first row is what the kernel takes to wake one process; nothing is taken off. In brackets: times tini.",
	}
	f.add([]column{
		{Name: "p50", Unit: "us", Reference: tini, Line: "signal to the command, p50", Goals: []goal{{Plus: 50}}},
		{Name: "p99", Unit: "us", Reference: tini, Line: "signal to the command, p99", Goals: []goal{{Plus: 150}}},
	}, rows)
	return []*figure{f}, nil
}

// quantileCell returns a quantile of sorted values, and between which they all are.
func quantileCell(sorted []float64, q float64) cell {
	if len(sorted) == 0 {
		return cell{}
	}
	return cell{Value: quantile(sorted, q), Least: sorted[0], Most: sorted[len(sorted)-1], Runs: len(sorted)}
}

// echo is a command that answers each SIGUSR1 that reaches it through its init.
type echo struct {
	pid int
	fd  int // blocking, so that the answer wakes this thread and no poller of Go's
}

// openEcho returns when the command has announced itself in the FIFO. The thread is locked until close.
func openEcho(pid int, fifo *os.File) (*echo, error) {
	if err := heard(fifo, 1, time.Minute); err != nil {
		return nil, err
	}
	fd, err := unix.Open(fifo.Name(), unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	runtime.LockOSThread()
	return &echo{pid, fd}, nil
}

func (e *echo) close() {
	runtime.UnlockOSThread()
	_ = unix.Close(e.fd)
}

// ask sends a signal to the init and returns how long it took to reach the command.
func (e *echo) ask(limit time.Duration) (time.Duration, error) {
	var begin, came unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &begin); err != nil {
		return 0, err
	}
	if err := syscall.Kill(e.pid, syscall.SIGUSR1); err != nil {
		return 0, fmt.Errorf("cannot signal process %d: %w", e.pid, err)
	}
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(e.fd), Events: unix.POLLIN}}, int(limit.Milliseconds()))
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return 0, err
		case n == 0:
			return 0, fmt.Errorf("no answer in %v", limit)
		}
		_, err = unix.Read(e.fd, unsafe.Slice((*byte)(unsafe.Pointer(&came)), 16))
		return time.Duration(came.Nano() - begin.Nano()), err
	}
}

// nap sleeps on this thread.
func nap(d time.Duration) {
	t := unix.NsecToTimespec(d.Nanoseconds())
	_ = unix.Nanosleep(&t, nil)
}
