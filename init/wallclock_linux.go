package supervisor

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// wallClock waits for the times of schedules, which follow the wall clock. That clock can be set,
// and Go's timers do not follow it. A timerfd of the kernel does, and it also reports that the
// clock was set (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET, since Linux 3.0).
type wallClock struct {
	file *os.File // the timerfd; nil: there is no schedule yet
}

// wallTime returns the time without Go's monotonic reading, so that comparisons use the wall clock.
func wallTime() time.Time { return time.Now().Round(0) }

// set sets the time at which the loop calls rang next; zero means never. The loop also calls rang,
// with wasSet true, when the wall clock was set. The error is that of a system call.
func (c *wallClock) set(next time.Time, post func(message), rang func(wasSet bool)) error {
	if c.file == nil {
		if next.IsZero() {
			return nil
		}
		fd, err := unix.TimerfdCreate(unix.CLOCK_REALTIME, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
		if err != nil {
			return fmt.Errorf("timerfd_create: %w", err)
		}
		c.file = os.NewFile(uintptr(fd), "timerfd")
		go hearClock(c.file, post, rang)
	}
	spec := unix.ItimerSpec{}
	if !next.IsZero() {
		spec.Value = unix.NsecToTimespec(next.UnixNano())
	}
	conn, err := c.file.SyscallConn()
	if err != nil {
		return err
	}
	failure := conn.Control(func(fd uintptr) {
		err = unix.TimerfdSettime(int(fd), unix.TFD_TIMER_ABSTIME|unix.TFD_TIMER_CANCEL_ON_SET, &spec, nil)
	})
	if failure != nil {
		return failure
	}
	return err
}

// hearClock posts a message for each expiry of the timer and each time the clock was set.
func hearClock(clock *os.File, post func(message), rang func(wasSet bool)) {
	conn, err := clock.SyscallConn()
	if err != nil {
		return
	}
	for {
		var failure error
		err := conn.Read(func(fd uintptr) bool {
			var b [8]byte
			_, failure = unix.Read(int(fd), b[:])
			return failure != unix.EAGAIN && failure != unix.EINTR
		})
		if err != nil || failure != nil && failure != unix.ECANCELED {
			return
		}
		wasSet := failure == unix.ECANCELED
		post(func() { rang(wasSet) })
	}
}
