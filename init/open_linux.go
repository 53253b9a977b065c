package supervisor

import "golang.org/x/sys/unix"

// open is open(2), tried again where a signal has interrupted it. Unlike os.Open it makes no
// object for the collector to close.
func open(path string, flags int) (int, error) {
	for {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}
