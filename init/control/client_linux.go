package control

import (
	"os"

	"golang.org/x/sys/unix"
)

// Server returns the credentials of the process that listens on the socket.
func (c *Client) Server() (p Peer, err error) {
	err = withDescriptor(c.conn, func(fd int) (err error) {
		p, err = credentials(fd)
		return err
	})
	return p, err
}

// rightsOf returns the control message that passes files over a socket; nil if there are none. Unlike
// [os.File.Fd] it does not change whether a file is non-blocking.
func rightsOf(files []*os.File) ([]byte, error) {
	if len(files) == 0 {
		return nil, nil
	}
	fds := make([]int, len(files))
	for i, f := range files {
		if err := withDescriptor(f, func(fd int) error { fds[i] = fd; return nil }); err != nil {
			return nil, err
		}
	}
	return unix.UnixRights(fds...), nil
}
