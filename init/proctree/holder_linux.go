package proctree

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"

	"github.com/cginit/cginit/init/proc"
	"github.com/cginit/cginit/init/status"
	"github.com/cginit/cginit/internal/self"
	"golang.org/x/sys/unix"
)

// A holder goes to work before main and before the packages that are initialised after this one.
// It uses none of them, and what they put into memory would be in each holder's private memory.
func init() {
	if args, is := self.Holder.Is(os.Args); is {
		os.Exit(RunHolder(args)) //nolint:forbidigo // main is too late, see above
	}
}

// holder is the process between the supervisor and one job. Two goroutines do its work: watch
// waits for the processes below, and listen waits for requests of the supervisor. Each of them
// spends its time in a system call that waits. The one that has the turn owns all fields.
type holder struct {
	turn   chan struct{} // filled by the goroutine that has the turn
	urgent chan struct{} // filled when there is a kill to do: the other one gives up the turn soon
	walker walker
	score  score
	main   int // the pid of the main process, 0 once it has been waited for
	mode   mode
	// killer is nil if the job has no uid to itself.
	killer *killer
	// signalled are the processes that the present signalOnce has signalled.
	signalled []int32
	pause     int // milliseconds until the next walk of a freeze or a kill
	// poll is the socket. It is nil once the supervisor is gone.
	poll []unix.PollFd
}

// mode is what a holder does with the job.
type mode int

const (
	modeRunning mode = iota
	modeFreezing
	modeFrozen
	modeKilling
)

const (
	// holderSocket is the holder's end of the socket. It is also descriptors 1 and 2, because a
	// holder must not hold the job's or the supervisor's stdout and stderr open.
	holderSocket = 0
	// reapBatch bounds how many children are waited for in one turn.
	reapBatch = 200
	// pauseLeast and pauseMost are milliseconds between walks. The pause doubles from walk to walk.
	pauseLeast, pauseMost = 1, 256
)

// RunHolder does all that a holder does and returns its exit status: 0 when nothing is left below
// it, 125 if it could not begin. The init function of this package calls it if this process is a holder.
// The argument is the signal mask that the job is to have.
func RunHolder(args []string) int {
	runtime.LockOSThread()
	if len(args) != 1 {
		args = []string{""}
	}
	mask, err := strconv.ParseUint(args[0], 10, 64)
	if err != nil {
		fmt.Fprintln(os.Stderr, "cginit: "+self.NotForUsers)
		return status.Failed
	}
	for fd := range 3 {
		unix.CloseOnExec(fd)
	}
	// The supervisor may have been given descriptors by others, which are not the job's (since
	// Linux 5.11).
	_ = unix.CloseRange(3, ^uint(0), unix.CLOSE_RANGE_CLOEXEC)
	h := &holder{
		turn: make(chan struct{}, 1), urgent: make(chan struct{}, 1),
		poll: []unix.PollFd{{Fd: holderSocket, Events: unix.POLLIN}},
	}
	setName("cginit-holder") // which top shows; without it, it would be "exe", after /proc/self/exe
	h.walker.prepare()
	h.walker.queue = make([]proc.Child, 0, 1<<12)
	h.walker.groups = make([]int32, 0, groupsMost)
	h.signalled = make([]int32, 0, 1<<12)
	h.score = openScore()
	if err := h.shield(); err != nil {
		h.fail(err)
		return status.Failed
	}
	reserveThreads()
	if !h.awaitOrder(mask) {
		return 0
	}
	_ = os.Chdir("/") // or the holder would keep a file system from being unmounted
	go h.listen()
	h.watch()
	return 0
}

// setName sets the name of this thread. That of the first thread is the name of the process.
func setName(name string) {
	var text [16]byte
	copy(text[:], name)
	_, _, _ = syscall.RawSyscall(unix.SYS_PRCTL, unix.PR_SET_NAME, uintptr(unsafe.Pointer(&text)), 0)
}

// shield makes the holder the parent of the job's orphans (since Linux 3.4), or marks the job if the kernel
// refuses that. It keeps the job from tracing the holder: the kernel lets no process of the same uid trace one
// that is not dumpable.
func (h *holder) shield() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		h.walker.mark = markOf(h.walker.self)
		if err := proc.SetMark(h.walker.mark); err != nil {
			return err
		}
	}
	return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}

// watch waits for the processes below until none is left. It then keeps the turn: a kill(-1) after
// Empty could reach the next job with the same uid.
func (h *holder) watch() {
	for {
		err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WSTOPPED|unix.WCONTINUED|unix.WNOWAIT|unix.WALL, nil)
		if err == unix.EINTR {
			continue
		}
		h.turn <- struct{}{}
		isChildless := h.reap()
		if isChildless && !h.hasMarked() {
			h.finish()
			return
		}
		h.advance() // the dead have left orphans, which are children of the holder now
		<-h.turn
		if isChildless {
			_, _ = unix.Poll(nil, markedPause)
		}
	}
}

// reap waits for the children that have ended, up to reapBatch of them, and reports whether the
// holder has no child any more (__WALL: also none whose end sends no SIGCHLD). Nothing else in the
// holder waits for children, so until then the pid of a child cannot become another process's.
func (h *holder) reap() (empty bool) {
	for n := 0; n < reapBatch && len(h.urgent) == 0; n++ {
		var ws unix.WaitStatus
		var ru unix.Rusage
		pid, err := unix.Wait4(-1, &ws, unix.WNOHANG|unix.WUNTRACED|unix.WCONTINUED|unix.WALL, &ru)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.ECHILD:
			return true
		case err != nil || pid == 0:
			return false
		case pid == h.main:
			h.tellMain(ws, &ru)
		}
	}
	return false
}

// finish tells the supervisor that nothing is left, and the CPU time of all processes that the
// holder and its descendants have waited for.
func (h *holder) finish() {
	m := message{kind: int64(Empty)}
	var ru unix.Rusage
	if unix.Getrusage(unix.RUSAGE_CHILDREN, &ru) == nil {
		m.setUsage(&ru)
	}
	h.tell(&m)
}

// tellMain tells the supervisor what wait4 has said of the main process.
func (h *holder) tellMain(ws unix.WaitStatus, ru *unix.Rusage) {
	m := message{pid: int64(h.main), value: int64(ws)}
	switch {
	case ws.Stopped():
		if h.mode != modeRunning {
			return // the holder has stopped it
		}
		m.kind = int64(Stopped)
	case ws.Continued():
		m.kind = int64(Continued)
	default:
		m.kind = int64(MainExited)
		m.setUsage(ru)
		h.main = 0
	}
	h.tell(&m)
}

// tell sends a message to the supervisor. It waits if the supervisor is some hundred messages
// behind, and if the kernel has no memory. It does not wait for a supervisor that is gone.
func (h *holder) tell(m *message) {
	for {
		switch unix.Send(holderSocket, m.bytes(), unix.MSG_NOSIGNAL) {
		case unix.EINTR:
		case unix.ENOBUFS, unix.ENOMEM:
			_, _ = unix.Poll(nil, pauseMost)
		default:
			return
		}
	}
}

// fail tells the supervisor the errno of an error, EINVAL if there is none in it.
func (h *holder) fail(err error) {
	errno := unix.EINVAL
	_ = errors.As(err, &errno)
	h.tell(&message{kind: int64(Failed), value: int64(errno)})
}
