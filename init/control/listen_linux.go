package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxPath is how many bytes the path of a unix socket can have.
const maxPath = 107

// bind makes the socket at path and listens on it. It replaces the socket of a server that has
// ended. Only root and our own uid can open the socket, unless others is true. Then everybody can
// open it, and the server decides for each connection whether the peer may call.
func bind(path string, others bool) (*net.UnixListener, error) {
	switch {
	case path == "" || strings.HasPrefix(path, "@"):
		return nil, fmt.Errorf("the control socket %q: it needs the name of a file", path)
	case len(path) > maxPath:
		return nil, fmt.Errorf("the control socket %s: the path is longer than the %d bytes that a socket allows; "+
			"choose a shorter --socket", path, maxPath)
	}
	l, err := listenUnix(path)
	if errors.Is(err, unix.EADDRINUSE) {
		if err = clearStale(path); err == nil {
			l, err = listenUnix(path)
		}
	}
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return nil, fmt.Errorf("the control socket %s: there is no directory %s; make it, "+
			"or choose another --socket (none: no control socket)", path, filepath.Dir(path))
	}
	if errors.Is(err, unix.EROFS) || errors.Is(err, unix.EACCES) {
		return nil, fmt.Errorf("the control socket %s: its directory cannot be written (%w); mount a tmpfs there, "+
			"or choose another --socket (none: no control socket)", path, unwrapErrno(err))
	}
	if err != nil {
		return nil, fmt.Errorf("the control socket %s: %w", path, unwrapErrno(err))
	}
	if others {
		if err := os.Chmod(path, 0o666); err != nil {
			l.Close()
			return nil, fmt.Errorf("the control socket cannot be opened to others: %w", err)
		}
	}
	return l, nil
}

// listenUnix makes a unix socket whose file has mode 0600 from the beginning: on Linux the file takes
// the mode of the socket. A umask would affect the whole process, and a chmod would come too late.
func listenUnix(path string) (*net.UnixListener, error) {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		if e := c.Control(func(fd uintptr) { err = unix.Fchmod(int(fd), 0o600) }); e != nil {
			return e
		}
		return err
	}}
	l, err := config.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, err
	}
	return l.(*net.UnixListener), nil
}

// clearStale removes the socket of a server that has ended. The error says what else is at path.
func clearStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != os.ModeSocket:
		return errors.New("there is a file of that name that is no socket; remove it, or choose another --socket")
	}
	c, err := net.Dial("unix", path)
	switch {
	case err == nil:
		c.Close()
		return errors.New("another supervisor answers there; " +
			"choose another --socket, or end that one with cginitctl shutdown")
	case errors.Is(err, unix.ECONNREFUSED):
		return os.Remove(path)
	}
	return err
}
