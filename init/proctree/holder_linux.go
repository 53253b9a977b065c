package proctree

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"

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

// holder is the process between the supervisor and one job. Two goroutines do its work, each
// of them mostly in a system call that waits: watch for what is below, listen for what the
// supervisor asks. Whichever has the turn owns all of this.
type holder struct {
	turn   chan struct{}
	walker walker
	main   int // pid of the main process; 0: it has been waited for
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
	// freezeWalks is how often the kill tries to have all stand still before it kills.
	freezeWalks = 20
)

// RunHolder is all that a holder does, and returns its exit status: 0 when nothing is left
// below it. The init of this package calls it where argv[0] says so.
func RunHolder(args []string) int {
	runtime.LockOSThread()
	runtime.GOMAXPROCS(2)
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
	// What the supervisor was left with by others is not the job's either (since Linux 5.11).
	_ = unix.CloseRange(3, ^uint(0), unix.CLOSE_RANGE_CLOEXEC)
	h := &holder{turn: make(chan struct{}, 1), poll: []unix.PollFd{{Fd: socket, Events: unix.POLLIN}}}
	h.walker.open()
	h.walker.queue = make([]node, 0, 1<<12)
	if err := shield(); err != nil {
		h.fail(err)
		return 125
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

// watch waits for what is below, until nothing is.
func (h *holder) watch() {
	for empty := false; !empty; {
		err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WSTOPPED|unix.WCONTINUED|unix.WNOWAIT, nil)
		if err == unix.EINTR {
			continue
		}
		h.turn <- struct{}{}
		if empty = h.reap(); !empty {
			h.advance() // what has died leaves orphans
		}
		<-h.turn
	}
	h.finish()
}

// reap waits for what there is to wait for, a bounded number, and tells whether nothing is
// left. Nobody else waits, so until then no pid of a child can become another's.
func (h *holder) reap() (empty bool) {
	for range reapBatch {
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

// listen does what the supervisor asks, and in between what a freeze or a kill still has to
// do. When the supervisor is gone, that is a kill.
func (h *holder) listen() {
	runtime.LockOSThread()
	claimCPU(0) // it is idle but for the supervisor's requests
	for {
		m, ok := h.next()
		if ok && m.kind == askKill {
			claimCPU(os.Getpid()) // watch's thread: it may have the turn, and no CPU
		}
		h.turn <- struct{}{}
		if ok {
			h.obey(m)
		}
		h.advance()
		<-h.turn
	}
}

// next waits for the next message, and no longer than until the next walk is due.
func (h *holder) next() (m message, ok bool) {
	h.turn <- struct{}{}
	wait := -1
	if h.mode == freezing || h.mode == killing {
		wait = h.pause
		h.pause = min(2*h.pause, pauseMost)
	}
	<-h.turn
	if n, err := unix.Poll(h.poll, wait); n <= 0 || err != nil {
		return m, false
	}
	n, err := unix.Read(socket, m.bytes())
	if err == unix.EINTR {
		return m, false
	}
	if err != nil || n <= 0 {
		h.poll = nil // there is nothing more to hear
		return message{kind: askKill}, true
	}
	return m, true
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

// tell may wait for a supervisor that has fallen behind by some hundred messages, but not for
// one that is gone.
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

func (h *holder) obey(m message) {
	sig := unix.Signal(m.value)
	switch m.kind {
	case askSignalMain:
		if h.main != 0 {
			_ = unix.Kill(h.main, sig)
		}
	case askSignal:
		h.signal(sig)
	case askFreeze:
		h.enter(freezing)
	case askThaw:
		h.enter(running)
		h.signal(unix.SIGCONT)
	case askKill:
		h.enter(killing)
	}
}

// claimCPU puts a thread of ours, 0 for this one, before hundreds of processes that fork. That
// takes CAP_SYS_NICE; without, a kill takes longer. Where the kernel divides the CPU by
// sessions (sched_autogroup), being nice counts within ours only, hence the real-time class.
func claimCPU(tid int) {
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 1}
	if unix.SchedSetAttr(tid, &attr, 0) != nil {
		_ = unix.Setpriority(unix.PRIO_PROCESS, tid, -20)
	}
}

// enter begins something else, but nothing comes after a kill.
func (h *holder) enter(m mode) {
	if h.mode != killing {
		h.mode, h.walks, h.pause = m, 0, pauseLeast
	}
}

// advance does the next walk of a freeze or a kill, where there is one.
func (h *holder) advance() {
	switch h.mode {
	case running, frozen:
	case freezing:
		if h.signal(unix.SIGSTOP).running == 0 {
			h.mode = frozen
			h.tell(&message{kind: int64(Frozen)})
		}
	case killing:
		h.kill()
	}
	h.walks++
}

// kill has all that it finds stand still, and then kills it. Nothing is reaped meanwhile: where
// there is a limit on processes, the dead count against those that would take their place.
func (h *holder) kill() {
	if h.killer == nil {
		for wait := range freezeWalks {
			if h.signal(unix.SIGSTOP).running == 0 {
				break
			}
			_, _ = unix.Poll(nil, wait) // a process stops when it next runs
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
