package supervisor

import (
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// flood keeps SIGCHLD from waking us for each of thousands of children that end. Each signal costs Go
// several thread switches, and among the processes of a fork bomb these take the time in which the others
// would end.
//
// Once floodMost children have ended within floodSpan, the kernel is told to drop SIGCHLD, and the loop looks
// for dead children every floodPause. When it finds none, the signal is heard again.
type flood struct {
	since  time.Time    // when the count began
	count  int          // how many children have ended since
	next   time.Time    // when the loop looks again; zero: SIGCHLD is heard
	before childHandler // the handler of SIGCHLD while that is dropped
}

const (
	floodMost  = 100
	floodSpan  = 50 * time.Millisecond
	floodPause = 5 * time.Millisecond
)

// childHandler is the kernel's struct sigaction and some room. It begins with the handler; 0 is the default
// action, with which the kernel drops SIGCHLD and keeps the dead until we wait for them.
type childHandler [8]uintptr

// set makes h the handler of SIGCHLD and returns the one from before.
func (h *childHandler) set() (before childHandler, ok bool) {
	_, _, errno := syscall.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(unix.SIGCHLD),
		uintptr(unsafe.Pointer(h)), uintptr(unsafe.Pointer(&before)), 8, 0, 0)
	return before, errno == 0
}

// note counts children that one look has found. It returns true if the loop has to look again at once,
// because SIGCHLD was not heard until now.
func (f *flood) note(found int) (again bool) {
	now := time.Now()
	switch {
	case !f.next.IsZero() && found == 0:
		f.hear()
		return true
	case !f.next.IsZero():
		f.next = now.Add(floodPause)
	case now.Sub(f.since) > floodSpan:
		f.since, f.count = now, found
	default:
		f.count += found
		if f.count >= floodMost {
			var drop childHandler
			if before, ok := drop.set(); ok {
				f.before, f.next = before, now.Add(floodPause)
			}
		}
	}
	return false
}

// hear has SIGCHLD heard again.
func (f *flood) hear() {
	if !f.next.IsZero() {
		_, _ = f.before.set()
		*f = flood{}
	}
}
