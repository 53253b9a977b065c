package proctree

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"

	"github.com/cginit/cginit/init/proc"
	"github.com/cginit/cginit/internal/self"
	"golang.org/x/sys/unix"
)

// Tree is the supervisor's side of one holder. A goroutine of its own calls Read. The supervisor's
// loop calls all other methods, and none of them blocks.
//
// wait4 in the supervisor returns the holder and no process of the job, unless the holder is lost.
type Tree struct {
	// Pid is the pid of the holder.
	Pid int
	// Main is the pid of the main process, 0 before the event [Started]. If the holder is lost,
	// the main process may become a child of the supervisor.
	Main int
	// Frozen is true once a walk has found no process that runs. Freeze and Thaw clear it.
	Frozen bool
	// Empty is true once nothing is left below the holder.
	Empty bool
	// Used is the event [Empty], which says what the job has used.
	Used Event

	isMarked bool // the holder marks the job
	file     *os.File
	fd       int // the descriptor of file; File.Fd would make it block
}

// Place says where a holder lives.
type Place struct {
	// SameSession leaves the holder in the supervisor's session, so that the job can use the
	// terminal of the session. Otherwise the holder leads a session of its own.
	SameSession bool
	// NoSubreaper says that nobody can be a subreaper here (see [CanAdopt]).
	NoSubreaper bool
}

// Prepare makes a holder that waits for its order. A holder that is made in advance makes the start
// of a job faster.
func Prepare(p Place) (*Tree, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot create a socket for a holder: %w", err)
	}
	defer unix.Close(pair[1])
	if err = unix.SetNonblock(pair[0], true); err == nil {
		t := &Tree{fd: pair[0], isMarked: p.NoSubreaper}
		if t.Pid, err = launch(pair[1], p); err == nil {
			t.file = os.NewFile(uintptr(t.fd), "holder's socket")
			return t, nil
		}
	}
	unix.Close(pair[0])
	return nil, fmt.Errorf("cannot start a holder: %w", self.Explain(err))
}

// Start makes a holder and gives it an order. See [Tree.Start].
func Start(o Order, p Place) (*Tree, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	t, err := Prepare(p)
	if err != nil {
		return nil, err
	}
	if err := t.Start(o); err != nil {
		_ = t.Close()
		return nil, err
	}
	return t, nil
}

// Start gives the holder an order. The event [Started] or [Failed] says what has become of it.
// After Failed another order can be given. The error is EPIPE if the holder has ended.
func (t *Tree) Start(o Order) error {
	if err := o.check(); err != nil {
		return err
	}
	packed, err := o.pack()
	if err != nil {
		return err
	}
	defer packed.Close()
	fds := []int{int(packed.Fd())}
	for _, fd := range o.Files {
		if fd >= 0 {
			fds = append(fds, fd)
		}
	}
	m := message{kind: requestStart}
	rights := unix.UnixRights(fds...)
	err = retryInterrupted(func() error { return unix.Sendmsg(t.fd, m.bytes(), rights, nil, unix.MSG_NOSIGNAL) })
	if err != nil {
		return fmt.Errorf("cannot give the holder its order: %w", err)
	}
	return nil
}

// Read waits for the next event of the holder. The error is io.EOF if the holder has ended. If that
// was not after [Empty], the holder is lost.
func (t *Tree) Read() (Event, error) {
	for {
		var b [messageSize + 1]byte
		n, err := t.file.Read(b[:])
		switch {
		case errors.Is(err, unix.ECONNRESET):
			continue // the holder ended with a request unread; its last messages come after this error
		case err != nil:
			return Event{}, err
		case n != messageSize:
			continue // the text of a crash: the socket is also the holder's stderr
		}
		var m message
		copy(m.bytes(), b[:])
		return m.event(), nil
	}
}

// Note takes an event that Read has returned into the fields of the tree.
func (t *Tree) Note(e Event) {
	switch e.Kind {
	case Started:
		t.Main = e.Pid
	case Frozen:
		t.Frozen = true
	case Empty:
		t.Empty, t.Used = true, e
	case Failed, Stopped, Continued, MainExited, MainGone:
	}
}

// Waited takes what wait4 has said of the holder, and reports whether the holder has ended. A job
// of the holder's uid can stop the holder; Waited then continues it.
func (t *Tree) Waited(ws syscall.WaitStatus) (ended bool) {
	if ws.Stopped() {
		_ = unix.Kill(t.Pid, unix.SIGCONT)
	}
	return ws.Exited() || ws.Signaled()
}

// Lost reports whether a holder that has ended left its job behind. [Sweep] finds what is left.
func (t *Tree) Lost() bool { return t.Main != 0 && !t.Empty }

// SignalMain sends a signal to the main process. The holder sends it, because only the holder knows
// that the pid still belongs to the main process.
//
// SignalMain and the other requests to the holder return EAGAIN if the holder does not read,
// because it is stopped or very busy. Try again then. A holder that has ended is no error.
func (t *Tree) SignalMain(sig syscall.Signal) error {
	return t.request(message{kind: requestSignalMain, value: int64(sig)})
}

// SetMain makes another process of the job the main process: the event [MainExited] tells of its end
// if the holder is its parent then.
func (t *Tree) SetMain(pid int) error {
	return t.request(message{kind: requestMain, pid: int64(pid)})
}

// Signal sends a signal to every process of the job, once.
func (t *Tree) Signal(sig syscall.Signal) error {
	return t.request(message{kind: requestSignal, value: int64(sig)})
}

// Freeze stops every process of the job, until a walk finds none that runs: the event [Frozen]. A
// process that is continued before that is stopped again, but not one that is continued later.
func (t *Tree) Freeze() error {
	t.Frozen = false
	return t.request(message{kind: requestFreeze})
}

// Thaw ends a freeze. It also continues processes that were stopped before the freeze.
func (t *Tree) Thaw() error {
	t.Frozen = false
	return t.request(message{kind: requestThaw})
}

// Kill kills every process of the job, until none is left: the event [Empty].
func (t *Tree) Kill() error {
	return t.request(message{kind: requestKill})
}

// Procs returns the pids of the processes of the job that a walk finds, parents before children,
// zombies included. The error says that there is no /proc of our PID namespace.
func (t *Tree) Procs() ([]int, error) {
	r := &proc.Reader{}
	r.Open()
	if !r.HasProc {
		return nil, errNoProc
	}
	defer r.Close()
	pids := r.Below(t.Pid)
	if t.isMarked {
		for _, c := range r.Marked(nil, markOf(t.Pid)) {
			if pid := int(c.Pid); pid != t.Pid && !slices.Contains(pids, pid) {
				pids = append(pids, pid)
			}
		}
	}
	return pids, nil
}

// Close closes the socket. A holder that has not ended kills its job and ends.
func (t *Tree) Close() error { return t.file.Close() }

// request sends a request to the holder and does not wait for what becomes of it. A holder that has
// ended has nothing left to do, so that is no error.
func (t *Tree) request(m message) error {
	err := retryInterrupted(func() error { return unix.Send(t.fd, m.bytes(), unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT) })
	if err == nil || errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET) {
		return nil
	}
	return fmt.Errorf("cannot send a request to the holder: %w", err)
}

// retryInterrupted makes a system call again as long as a signal interrupts it.
func retryInterrupted(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}
