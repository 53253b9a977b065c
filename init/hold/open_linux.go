package hold

import "golang.org/x/sys/unix"

// open is open(2) with O_CLOEXEC, tried again after EINTR. Unlike os.Open it makes no object that
// the collector has to close.
func open(path string, flags int) (int, error) {
	for {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// writeFile writes one value to a file of the kernel's. It ignores errors.
func writeFile(path string, value []byte) {
	fd, err := open(path, unix.O_WRONLY)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	_, _ = unix.Write(fd, value)
}

// readFile returns the beginning of a file of the kernel's, at most len(buf) bytes, in three system
// calls.
func readFile(path string, buf []byte) ([]byte, error) {
	fd, err := open(path, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	for {
		n, err := unix.Read(fd, buf)
		if err != unix.EINTR {
			return buf[:max(n, 0)], err
		}
	}
}
