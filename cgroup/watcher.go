package cgroup

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Watcher reports when cgroup.events of one of its cgroups changes. The kernel notifies it (EPOLLPRI)
// at most once in 10 ms for each file, and never drops the last change.
type Watcher struct {
	epoll *os.File
	conn  syscall.RawConn
}

// NewWatcher returns a Watcher without cgroups.
func NewWatcher() (*Watcher, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("cannot create an epoll set: %w", err)
	}
	// It is non-blocking so that Go's own poller accepts it. An epoll set can itself be polled, and
	// waiting for it then holds no thread.
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, err
	}
	w := &Watcher{epoll: os.NewFile(uintptr(fd), "epoll")}
	w.conn, err = w.epoll.SyscallConn()
	return w, err
}

// Watch is one watched cgroup. Close ends the watch. It is not to be copied after that.
type Watch struct{ fd int } // of cgroup.events; -1 after Close

// Add starts to watch d. Wait returns id when cgroup.events of d has changed.
func (w *Watcher) Add(d Dir, id int32) (Watch, error) {
	// The descriptor is used as it is: creating and closing an os.File costs more than the rest of Add.
	fd, err := d.open("cgroup.events", unix.O_RDONLY)
	if err != nil {
		return Watch{-1}, err
	}
	// Reading marks the present content as seen. Without it the first Wait would return at once.
	var content [256]byte
	_, err = retry(func() (int, error) { return unix.Read(fd, content[:]) })
	if err == nil {
		event := unix.EpollEvent{Events: unix.EPOLLPRI | unix.EPOLLET, Fd: id}
		err = w.control(func(epfd int) error { return unix.EpollCtl(epfd, unix.EPOLL_CTL_ADD, fd, &event) })
	}
	if err != nil {
		unix.Close(fd)
		return Watch{-1}, fmt.Errorf("cannot watch %s: %w", d, err)
	}
	return Watch{fd}, nil
}

// Events returns the state of the cgroup, like [Dir.Events]. It needs no descriptor besides that of the
// watch, so it works also when this process may open nothing more.
func (w *Watch) Events() (Events, error) {
	var content [256]byte
	n, err := retry(func() (int, error) { return unix.Pread(w.fd, content[:], 0) })
	if err != nil {
		return Events{}, err
	}
	return parseEvents(content[:n])
}

// Close ends the watch. A second call does nothing.
func (w *Watch) Close() error {
	if w.fd < 0 {
		return nil
	}
	err := unix.Close(w.fd)
	w.fd = -1
	return err
}

// Wait blocks until at least one watched cgroup has changed, and returns the ids of those that have.
// The ids are hints: [Dir.Events] has the state.
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

// control calls do with the descriptor of the epoll set.
func (w *Watcher) control(do func(epfd int) error) error {
	var err error
	if failed := w.conn.Control(func(fd uintptr) { err = do(int(fd)) }); failed != nil {
		return failed
	}
	return err
}
