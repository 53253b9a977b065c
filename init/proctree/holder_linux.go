package proctree

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// holderName is argv[0] of a holder.
const holderName = "cginit-holder"

// A holder goes to work before the packages that sort after this one are initialized: what
// they put into memory would be private to each holder, and none uses it. That is worth 0.3 MB
// a job.
func init() {
	if len(os.Args) > 0 && os.Args[0] == holderName {
		os.Exit(RunHolder(os.Args)) //nolint:forbidigo // main is too late, see above
	}
}

// holder is the process between the supervisor and one job. One goroutine owns everything;
// two more turn a blocking call into a message: the socket's read, and waitid.
type holder struct {
	walker walker
	main   int // pid of the main process; 0: it has been waited for
	mode   mode
	killer *killer // nil: the job has no uid to itself
	empty  bool
	walks  int // of this freeze or kill

	ask   chan message
	child chan struct{} // something is to be waited for; answered once that is done
	timer *time.Timer
	pause time.Duration // before the next walk
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
	// Between walks, doubling while nothing changes.
	pauseLeast, pauseMost = time.Millisecond, 200 * time.Millisecond
	// freezeWalks is how often the kill tries to have all stand still before it kills.
	freezeWalks = 10
)

// RunHolder is all that a holder does, and returns its exit status: 0 when nothing is left
// below it. The init of this package calls it where argv[0] says so.
func RunHolder(args []string) int {
	runtime.LockOSThread()
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(-1) // all that is allocated is allocated before the job starts
	if len(args) != 2 {
		return 125
	}
	mask, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return 125
	}
	for fd := range 3 {
		unix.CloseOnExec(fd)
	}
	h := &holder{
		ask: make(chan message), child: make(chan struct{}),
		timer: time.NewTimer(time.Hour), pause: pauseLeast,
	}
	h.timer.Stop()
	h.walker.open()
	h.walker.queue = make([]node, 0, 1<<12)
	if err := h.shield(); err != nil {
		h.fail(err)
		return 125
	}
	if !h.awaitOrder(unix.Sigset_t{Val: [len(unix.Sigset_t{}.Val)]uint64{mask}}) {
		return 0
	}
	_ = os.Chdir("/") // no mount is to be busy because of us
	h.hold()
	return 0
}

// shield keeps the job out of the holder as far as the kernel allows, and makes it the parent
// of the job's orphans (since Linux 3.4). What is not dumpable cannot be traced by its equals.
func (h *holder) shield() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}

// hold is the life of a holder with a job.
func (h *holder) hold() {
	go h.listen()
	go h.watch()
	for !h.empty {
		select {
		case <-h.child:
			h.reap()
			h.child <- struct{}{}
		case m, ok := <-h.ask:
			h.obey(m, ok)
		case <-h.timer.C:
			h.advance()
		}
	}
}

// listen passes on what the supervisor asks, and closes the channel when it is gone.
func (h *holder) listen() {
	var b [messageSize]byte
	for {
		n, err := unix.Read(socket, b[:])
		switch {
		case err == unix.EINTR:
		case err != nil || n <= 0:
			close(h.ask)
			return
		default:
			var m message
			copy(m.bytes(), b[:n])
			h.ask <- m
		}
	}
}

// watch says when there is something to wait for, and leaves the waiting to the owner.
func (h *holder) watch() {
	for {
		err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WSTOPPED|unix.WCONTINUED|unix.WNOWAIT, nil)
		if err == unix.EINTR {
			continue
		}
		h.child <- struct{}{}
		<-h.child
	}
}

// reap waits for what there is to wait for, a bounded number: more is for the next turn.
func (h *holder) reap() {
	for range reapBatch {
		var ws unix.WaitStatus
		var ru unix.Rusage
		pid, err := unix.Wait4(-1, &ws, unix.WNOHANG|unix.WUNTRACED|unix.WCONTINUED, &ru)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.ECHILD:
			h.finish()
			return
		case err != nil || pid == 0:
			return
		case pid == h.main:
			h.tellMain(ws, &ru)
		}
		h.hurry()
	}
}

// finish says that nothing is left. The CPU time is that of all that was waited for, here and
// below.
func (h *holder) finish() {
	h.empty = true
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

// tell may wait for a supervisor that has fallen behind by some hundred messages, but not for
// one that is gone: that it learns from listen.
func (h *holder) tell(m *message) {
	for unix.Send(socket, m.bytes(), unix.MSG_NOSIGNAL) == unix.EINTR {
	}
}

func (h *holder) fail(err error) {
	errno, ok := err.(syscall.Errno)
	if !ok {
		errno = unix.EINVAL
	}
	h.tell(&message{kind: int64(Failed), value: int64(errno)})
}

// obey does what is asked; the end of asking is the end of the supervisor.
func (h *holder) obey(m message, ok bool) {
	if !ok {
		h.ask = nil
		h.enter(killing)
		return
	}
	sig := unix.Signal(m.value)
	switch m.kind {
	case askSignalMain:
		if h.main != 0 {
			_ = unix.Kill(h.main, sig)
		}
	case askSignal:
		h.signal(sig)
	case askFreeze:
		if h.mode != killing {
			h.enter(freezing)
		}
	case askThaw:
		if h.mode != killing {
			h.enter(running)
		}
		h.signal(unix.SIGCONT)
	case askKill:
		h.enter(killing)
	}
}

func (h *holder) enter(m mode) {
	h.mode, h.walks, h.pause = m, 0, pauseLeast
	h.advance()
}

// hurry has the next walk soon: what has just died leaves orphans.
func (h *holder) hurry() {
	if h.pause > pauseLeast && (h.mode == freezing || h.mode == killing) {
		h.pause = pauseLeast
		h.timer.Reset(h.pause)
	}
}

// advance does the next walk of a freeze or a kill.
func (h *holder) advance() {
	switch h.mode {
	case running, frozen:
		return
	case freezing:
		if h.signal(unix.SIGSTOP).running == 0 {
			h.mode = frozen
			h.tell(&message{kind: int64(Frozen)})
			return
		}
	case killing:
		h.kill()
	}
	h.walks++
	h.timer.Reset(h.pause)
	h.pause = min(2*h.pause, pauseMost)
}

// kill kills what it finds. Only if that was not all, and so something forks, it has the rest
// stand still first, or room made by the dead would be filled at once.
func (h *holder) kill() {
	if h.walks > 0 && h.killer == nil {
		for range freezeWalks {
			if h.signal(unix.SIGSTOP).running == 0 {
				break
			}
		}
	}
	h.signal(unix.SIGKILL)
}

// signal reaches all of the job that can be reached at once, and then what a walk finds.
func (h *holder) signal(sig unix.Signal) tally {
	if h.killer == nil {
		return h.walker.walk(h.walker.self, sig)
	}
	h.killer.signal(sig)
	if sig == unix.SIGKILL || sig == unix.SIGSTOP {
		return h.walker.walk(h.walker.self, sig)
	}
	return tally{}
}
