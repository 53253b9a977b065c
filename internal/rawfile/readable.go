package rawfile

import (
	"time"

	"golang.org/x/sys/unix"
)

// IsReadable tells whether something, or the end, can be read from a descriptor.
func IsReadable(fd uintptr) bool { return WaitReadable(fd, 0) }

// WaitReadable waits for that, at most as long as patience, in milliseconds.
func WaitReadable(fd uintptr, patience time.Duration) bool {
	until := time.Now().Add(patience)
	for {
		p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(p, int(max(0, time.Until(until)).Milliseconds()))
		if err != unix.EINTR {
			return err == nil && n > 0
		}
	}
}
