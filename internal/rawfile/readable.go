package rawfile

import "golang.org/x/sys/unix"

// IsReadable tells whether something, or the end, can be read from a descriptor.
func IsReadable(fd uintptr) bool {
	for {
		p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(p, 0)
		if err != unix.EINTR {
			return err == nil && n > 0
		}
	}
}
