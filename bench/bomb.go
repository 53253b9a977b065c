package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/cginit/cginit/cgroup"
	"golang.org/x/sys/unix"
)

const (
	bombSize  = 2000
	bombGrace = 200 * time.Millisecond
	// bombLimit is longer than a bomb lives, so what is alive then is not of this bomb's doing.
	bombLimit = 75 * time.Second
	killLoop  = "a real-time loop on cgroup.kill"
)

// bomb measures the end of a fork bomb of 2,000 processes that never sleep. Every other one forks and
// exits as fast as it can. All are deaf to SIGTERM and each has a session of its own. The bomb bounds
// itself: a process is replaced again when the one before it was reaped.
//
// The thread that measures is in the real-time class, so that the bomb does not delay it. What it starts
// is not.
func bomb(l *lab) ([]*figure, error) {
	if l.own == "" {
		l.say("the bomb is measured only where a cgroup can be made")
		return nil, nil
	}
	who := []string{killLoop, before, cginit}
	if l.before == "" {
		who = []string{killLoop, cginit}
	}
	class := "It is in the real-time class."
	rows := l.interleave("the bomb", l.pick(20, 2), who, func(i int) (values []float64, err error) {
		return values, within(nil, func() error { // the thread ends with the run, and its class with it
			if realTime() != nil {
				class = "**It could not be in the real-time class, so part of these times is its own.**"
			}
			var took time.Duration
			switch who[i] {
			case killLoop:
				took, err = l.killBomb()
			case before:
				took, err = l.stopBomb(l.before)
			default:
				took, err = l.stopBomb(l.cginit)
			}
			if err == nil {
				l.say("the bomb: %s: %.2f s", who[i], took.Seconds())
			}
			values = []float64{took.Seconds()}
			return err
		})
	})
	f := &figure{
		Title: "A fork bomb",
		Note: fmt.Sprintf("%s processes that never sleep, of which every other one forks and exits as fast as it can, deaf to "+
			"SIGTERM and each in a session of its own, as root outside of a container. cginit: from SIGTERM, with a grace period of %v, until it has ended and "+
			"nothing is left. The loop: from the first write to cgroup.kill until the cgroup is empty. What measures is not "+
			"of the bomb. %s", thousands(bombSize), bombGrace, class),
	}
	grace := bombGrace.Seconds()
	f.add([]column{{
		Name: "SIGTERM to nothing left", Unit: "s", Digits: 2, Worst: true, Reference: killLoop,
		Line: "fork bomb, SIGTERM to nothing left", Chart: "teardown",
		Goals: []goal{{Than: killLoop, Times: 1.5, Plus: grace}, {Than: killLoop, Times: 3, Plus: grace, Worst: true}},
	}}, rows)
	return []*figure{f}, nil
}

// realTime gives this thread the real-time class. Its children do not get it.
func realTime() error {
	return unix.SchedSetAttr(0, &unix.SchedAttr{
		Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Flags: unix.SCHED_FLAG_RESET_ON_FORK, Priority: 50,
	}, 0)
}

// light starts the bomb below argv and returns a while after it has gone off.
func (l *lab) light(argv []string, in inside) (*ward, error) {
	r, out, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	w, err := l.enter(append(argv, l.program("tree"), "bomb", strconv.Itoa(bombSize)), in, out)
	out.Close()
	if err != nil {
		return nil, err
	}
	fds := []unix.PollFd{{Fd: int32(r.Fd()), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, 30_000)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if n == 0 || fds[0].Revents&unix.POLLIN == 0 {
			w.end()
			return nil, errors.New("the bomb has not gone off")
		}
		break
	}
	nap := unix.NsecToTimespec(int64(500 * time.Millisecond))
	_ = unix.Nanosleep(&nap, nil)
	return w, nil
}

// stopBomb has cginit stop the bomb.
func (l *lab) stopBomb(cginit string) (time.Duration, error) {
	w, err := l.light([]string{cginit, "--stop-grace-period", bombGrace.String(), "--"}, inside{})
	if err != nil {
		return 0, err
	}
	return w.stop(syscall.SIGTERM, bombLimit)
}

// killBomb writes to cgroup.kill until the bomb's cgroup is empty.
func (l *lab) killBomb() (time.Duration, error) {
	w, err := l.light(nil, inside{apart: true})
	if err != nil {
		return 0, err
	}
	defer w.end()
	return killLooped(w.cgroup + "/apart")
}

func killLooped(dir cgroup.Dir) (time.Duration, error) {
	events, err := unix.Open(string(dir)+"/cgroup.events", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(events)
	begin := time.Now()
	for time.Since(begin) < bombLimit {
		if err := dir.Kill(); err != nil {
			return 0, err
		}
		_, _ = unix.Poll([]unix.PollFd{{Fd: int32(events), Events: unix.POLLPRI}}, 1)
		e, err := dir.Events()
		if err != nil {
			return 0, err
		}
		if !e.Populated {
			return time.Since(begin), nil
		}
	}
	left, err := dir.Procs()
	return 0, errors.Join(err, survivors(len(left)))
}
