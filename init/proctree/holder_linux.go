package proctree

import (
	"errors"
	"os"
	"runtime"
	"strconv"

	"github.com/cginit/cginit/init/proc"
	"github.com/cginit/cginit/init/status"
	"golang.org/x/sys/unix"
)

// holderName is argv[0] of a holder.
const holderName = "cginit-holder"

// A holder goes to work before main and the packages that are initialized after this one: what
// they put into memory would be each holder's own, and none uses it.
func init() {
	if len(os.Args) > 0 && os.Args[0] == holderName {
		os.Exit(RunHolder(os.Args)) //nolint:forbidigo // main is too late, see above
	}
}

// holder is the process between the supervisor and one job. Two goroutines do its work, each
// of them mostly in a system call that waits: watch for what is below, listen for what the
// supervisor asks. Whichever has the turn owns all of this.
type holder struct {
	turn   chan struct{}
	urgent chan struct{} // not empty: there is a kill to do, so give up the turn
	walker walker
	asked  []int32 // whom the last ask has reached
	main   int     // pid of the main process; 0: it has been waited for
	mode   mode
	killer *killer       // nil: the job has no uid to itself
	walks  int           // of this freeze or kill
	pause  int           // milliseconds before the next one
	poll   []unix.PollFd // the socket, as long as there is a supervisor
}

type mode int

const (
	running mode = iota
	freezing
	frozen
	killing
)

const (
	socket    = 0 // and 1 and 2: it must not hold the job's or the supervisor's
	reapBatch = 200
	// Milliseconds between walks, doubling while nothing changes.
	pauseLeast, pauseMost = 1, 256
	// rushes is how often a kill tries the quick way, and how often to have all stand still.
	rushes = 12
)

// RunHolder is all that a holder does, and returns its exit status: 0 when nothing is left
// below it. The init of this package calls it where argv[0] says so.
func RunHolder(args []string) int {
	runtime.LockOSThread()
	if len(args) != 2 {
		return status.Failed
	}
	mask, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return status.Failed
	}
	for fd := range 3 {
		unix.CloseOnExec(fd)
	}
	// What the supervisor was left with by others is not the job's either (since Linux 5.11).
	_ = unix.CloseRange(3, ^uint(0), unix.CLOSE_RANGE_CLOEXEC)
	h := &holder{
		turn: make(chan struct{}, 1), urgent: make(chan struct{}, 1),
		poll: []unix.PollFd{{Fd: socket, Events: unix.POLLIN}},
	}
	setName(holderName) // what top shows; /proc/self/exe has been executed
	h.walker.open()
	h.walker.queue = make([]proc.Child, 0, 1<<12)
	h.walker.groups = make([]int32, 0, 1<<10)
	h.asked = make([]int32, 0, 1<<12)
	if err := shield(); err != nil {
		h.fail(err)
		return status.Failed
	}
	reserveThreads()
	if !h.awaitOrder(mask) {
		return 0
	}
	_ = os.Chdir("/") // no mount is to be busy because of us
	go h.listen()
	h.watch()
	return 0
}

// shield keeps the job out of the holder as far as the kernel allows, and makes it the parent
// of the job's orphans (since Linux 3.4). What is not dumpable cannot be traced by its equals.
func shield() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}

// watch waits for what is below, until nothing is. It then keeps the turn: a kill after Empty
// could reach the next job of the same uid.
func (h *holder) watch() {
	for {
		err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WSTOPPED|unix.WCONTINUED|unix.WNOWAIT, nil)
		if err == unix.EINTR {
			continue
		}
		h.turn <- struct{}{}
		if h.reap() {
			h.finish()
			return
		}
		h.advance() // what has died leaves orphans
		<-h.turn
	}
}

// reap waits for what there is to wait for, a bounded number, and tells whether nothing is
// left. Nobody else waits, so until then no pid of a child can become another's.
func (h *holder) reap() (empty bool) {
	for n := 0; n < reapBatch && len(h.urgent) == 0; n++ {
		var ws unix.WaitStatus
		var ru unix.Rusage
		pid, err := unix.Wait4(-1, &ws, unix.WNOHANG|unix.WUNTRACED|unix.WCONTINUED, &ru)
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

// finish says that nothing is left. The CPU time is that of all that was waited for, here and
// below.
func (h *holder) finish() {
	m := message{kind: int64(Empty)}
	var ru unix.Rusage
	if unix.Getrusage(unix.RUSAGE_CHILDREN, &ru) == nil {
		m.used(&ru)
	}
	h.tell(&m)
}

func (h *holder) tellMain(ws unix.WaitStatus, ru *unix.Rusage) {
	m := message{pid: int64(h.main), value: int64(ws)}
	switch {
	case ws.Stopped():
		if h.mode != running {
			return // by us
		}
		m.kind = int64(Stopped)
	case ws.Continued():
		m.kind = int64(Continued)
	default:
		m.kind = int64(MainExited)
		m.used(ru)
		h.main = 0
	}
	h.tell(&m)
}

// tell may wait for a supervisor that has fallen behind by some hundred messages, and for memory,
// but not for a supervisor that is gone.
func (h *holder) tell(m *message) {
	for {
		switch unix.Send(socket, m.bytes(), unix.MSG_NOSIGNAL) {
		case unix.EINTR:
		case unix.ENOBUFS, unix.ENOMEM:
			_, _ = unix.Poll(nil, pauseMost)
		default:
			return
		}
	}
}

func (h *holder) fail(err error) {
	errno := unix.EINVAL
	_ = errors.As(err, &errno)
	h.tell(&message{kind: int64(Failed), value: int64(errno)})
}
