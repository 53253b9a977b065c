package cgroup

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Watcher tells when cgroup.events of one of many cgroups has changed. The kernel notifies
// poll waiters (EPOLLPRI) at most once in 10 ms a file and never loses the last change.
type Watcher struct {
	epoll *os.File
	conn  syscall.RawConn
}

// NewWatcher makes an empty set.
func NewWatcher() (*Watcher, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("cannot make an epoll set: %w", err)
	}
	// Non-blocking, so that Go's own poller takes it: an epoll set is itself pollable, and
	// waiting for it then costs no thread.
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, err
	}
	w := &Watcher{epoll: os.NewFile(uintptr(fd), "epoll")}
	w.conn, err = w.epoll.SyscallConn()
	return w, err
}

// Watch is one watched cgroup; Close ends it.
type Watch struct{ fd int }

// Add watches d; Wait answers id when it has changed.
func (w *Watcher) Add(d Dir, id int32) (*Watch, error) {
	// A bare descriptor: to make and close a file object costs the start more than all the rest.
	path := filepath.Join(string(d), "cgroup.events")
	fd, err := ignoringEINTR(func() (int, error) { return unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	// Reading marks the present content as seen; without it the first Wait returns at once.
	var content [256]byte
	_, err = ignoringEINTR(func() (int, error) { return unix.Read(fd, content[:]) })
	if err == nil {
		event := unix.EpollEvent{Events: unix.EPOLLPRI | unix.EPOLLET, Fd: id}
		err = w.control(func(epfd int) error { return unix.EpollCtl(epfd, unix.EPOLL_CTL_ADD, fd, &event) })
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("cannot watch %s: %w", d, err)
	}
	return &Watch{fd}, nil
}

func ignoringEINTR(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}

// Close stops the watch. It may be called again.
func (w *Watch) Close() error {
	if w.fd < 0 {
		return nil
	}
	err := unix.Close(w.fd)
	w.fd = -1
	return err
}

// Wait blocks until at least one watched cgroup has changed and returns the ids of those that
// have. The ids are hints: read [Dir.Events] for what is so now.
func (w *Watcher) Wait() ([]int32, error) {
	var events [64]unix.EpollEvent
	var n int
	var err error
	failed := w.conn.Read(func(fd uintptr) bool {
		n, err = unix.EpollWait(int(fd), events[:], 0)
		return n > 0 || (err != nil && err != unix.EINTR)
	})
	if failed != nil {
		return nil, failed
	}
	if err != nil {
		return nil, err
	}
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = events[i].Fd
	}
	return ids, nil
}

func (w *Watcher) control(do func(epfd int) error) error {
	var err error
	if failed := w.conn.Control(func(fd uintptr) { err = do(int(fd)) }); failed != nil {
		return failed
	}
	return err
}
