package proctree

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Tree is the supervisor's side of one holder. Read is for a goroutine of its own; everything
// else is the loop's, and none of it blocks.
//
// The loop's wait4 sees the holder and nothing of the job, unless the holder is lost.
type Tree struct {
	// Pid is the holder's.
	Pid int
	// Main is the main process' pid, 0 before it is [Started]. When the holder is lost it may
	// be, from then on, a child of the supervisor.
	Main int
	// Frozen says that a walk found nothing that runs, and Empty that nothing is left.
	Frozen, Empty bool
	// Used is the event that said Empty, for what the job has used.
	Used Event

	file *os.File
	fd   int // the same; File.Fd would make it block
}

// Place is where a holder lives.
type Place struct {
	// SameSession leaves the holder in the supervisor's session, so that the job can have
	// the terminal of it. Otherwise it leads one of its own.
	SameSession bool
}

// selfExe is our own binary.
const selfExe = "/proc/self/exe"

// Prepare makes a holder that waits for its order. One that is ready in advance takes the
// time of its start out of that of a job.
func Prepare(p Place) (*Tree, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot make a holder's socket: %w", err)
	}
	defer unix.Close(pair[1])
	if err = unix.SetNonblock(pair[0], true); err == nil {
		t := &Tree{fd: pair[0]}
		if t.Pid, err = launch(pair[1], p); err == nil {
			t.file = os.NewFile(uintptr(t.fd), "holder's socket")
			return t, nil
		}
	}
	unix.Close(pair[0])
	return nil, fmt.Errorf("cannot start a holder: %w", err)
}

// launch executes our binary as a holder, with the socket in the place of all that it would
// keep open for others. It begins with signals blocked, and learns with which mask a job does.
func launch(socket int, p Place) (int, error) {
	exe, err := ourBinary()
	if err != nil {
		return 0, err
	}
	before, err := blockSignals()
	if err != nil {
		return 0, err
	}
	defer restoreSignals(before)
	s := uintptr(socket)
	// The runtime's settings are a holder's alone, since a job's environment is in its order: one
	// P for each of the two goroutines, and no collector, for what it allocates is allocated
	// before its job starts.
	env := []string{"GOMAXPROCS=2", "GOGC=off"}
	return syscall.ForkExec(exe, []string{holderName, fmt.Sprint(before.Val[0])}, &syscall.ProcAttr{
		Env:   env,
		Files: []uintptr{s, s, s},
		Sys:   &syscall.SysProcAttr{Setsid: !p.SameSession, Setpgid: p.SameSession},
	})
}

// exeAtStart is where our binary was; asked at once, for it may be that /proc goes.
var exeAtStart, exeError = os.Executable()

// ourBinary finds it without /proc too, as long as it has not been moved since.
func ourBinary() (string, error) {
	if _, err := os.Stat(selfExe); err == nil {
		return selfExe, nil
	}
	if exeError != nil && strings.HasPrefix(os.Args[0], "/") {
		return os.Args[0], nil // there was no /proc from the beginning
	}
	return exeAtStart, exeError
}

// blockSignals blocks every signal that can be, in this thread, until restoreSignals.
func blockSignals() (before unix.Sigset_t, err error) {
	var all unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^all.Val[i]
	}
	runtime.LockOSThread()
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &all, &before); err != nil {
		runtime.UnlockOSThread()
		return before, fmt.Errorf("cannot block signals: %w", err)
	}
	return before, nil
}

func restoreSignals(before unix.Sigset_t) {
	_ = unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil)
	runtime.UnlockOSThread()
}

// Start makes a holder and gives it its order.
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

// Start gives a holder its order. What becomes of it is an event, Started or Failed; after
// Failed another order may be given. EPIPE says that the holder has ended.
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
	m := message{kind: askStart}
	rights := unix.UnixRights(fds...)
	if err := again(func() error { return unix.Sendmsg(t.fd, m.bytes(), rights, nil, unix.MSG_NOSIGNAL) }); err != nil {
		return fmt.Errorf("cannot give the holder its order: %w", err)
	}
	return nil
}

// Read waits for the next event. io.EOF says that the holder is gone: as it should be after
// Empty, and lost otherwise.
func (t *Tree) Read() (Event, error) {
	for {
		var b [messageSize + 1]byte
		n, err := t.file.Read(b[:])
		switch {
		case errors.Is(err, unix.ECONNRESET):
			continue // it ended with something of ours unread; what it has said comes after that
		case err != nil:
			return Event{}, err
		case n != messageSize:
			continue // a runtime that crashes writes its last words where its stderr is
		}
		var m message
		copy(m.bytes(), b[:])
		return m.event(), nil
	}
}

// Note is for the loop to take in an event that Read has brought.
func (t *Tree) Note(e Event) {
	switch e.Kind {
	case Started:
		t.Main = e.Pid
	case Frozen:
		t.Frozen = true
	case Empty:
		t.Empty, t.Used = true, e
	case Failed, Stopped, Continued, MainExited:
	}
}

// Waited is for the loop to say what wait4 has told it of the holder, and tells whether the
// holder has ended. One that was stopped, as a job of its uid can do, is sent on.
func (t *Tree) Waited(ws syscall.WaitStatus) (ended bool) {
	if ws.Stopped() {
		_ = unix.Kill(t.Pid, unix.SIGCONT)
	}
	return ws.Exited() || ws.Signaled()
}

// Lost tells, once the holder has ended, whether it left its job behind, for [Sweep] to find.
func (t *Tree) Lost() bool { return t.Main != 0 && !t.Empty }

// SignalMain signals the main process. The holder does it, since no other process knows that
// the pid is not another's by now.
func (t *Tree) SignalMain(sig syscall.Signal) error {
	return t.ask(message{kind: askSignalMain, value: int64(sig)})
}

// Signal signals every process of the job.
func (t *Tree) Signal(sig syscall.Signal) error {
	return t.ask(message{kind: askSignal, value: int64(sig)})
}

// Freeze stops every process of the job, until a walk finds nothing that runs: Frozen. What
// the job continues meanwhile is stopped again, but after Frozen nobody looks any more.
func (t *Tree) Freeze() error {
	t.Frozen = false
	return t.ask(message{kind: askFreeze})
}

// Thaw ends a freeze. It continues what was stopped before it as well.
func (t *Tree) Thaw() error {
	t.Frozen = false
	return t.ask(message{kind: askThaw})
}

// Kill kills every process of the job, again and again until it is Empty.
func (t *Tree) Kill() error {
	return t.ask(message{kind: askKill})
}

// Procs lists the processes of the job that a walk finds, parents before children, zombies
// included.
func (t *Tree) Procs() ([]int, error) {
	w, err := newWalker()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	return w.Below(t.Pid), nil
}

// Close gives up the socket. A holder that has not ended kills what it holds and ends.
func (t *Tree) Close() error { return t.file.Close() }

func (t *Tree) ask(m message) error {
	return askError(again(func() error { return unix.Send(t.fd, m.bytes(), unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT) }))
}

// again does what a signal interrupts once more.
func again(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

// askError leaves out what is no error: a holder that is gone has nothing left to ask for.
// EAGAIN remains: it does not read because it is stopped or very busy, so ask again.
func askError(err error) error {
	switch {
	case err == nil, errors.Is(err, unix.EPIPE), errors.Is(err, unix.ECONNRESET):
		return nil
	}
	return fmt.Errorf("cannot ask the holder: %w", err)
}
