//go:build amd64 || arm64

package catch

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The handlers, in assembly. They run on the signal stack of Go's runtime, but not in Go: any thread can be
// anywhere. The kernel restores all registers.
var (
	pass  uintptr // writes the signal to the pipe
	sift  uintptr // does so if another process has sent it, and leaves it to Go's runtime otherwise
	drop  uintptr // does nothing
	leave uintptr // returns from a handler
)

// pipe is the writing end of the pipe. before is the handler of Go's runtime. Both are set before the first
// handler runs.
var pipe, before uintptr //nolint:unused // the handlers read them

// full is set by a handler that has found no room in the pipe.
var full bool

// action is the kernel's struct sigaction.
type action struct{ handler, flags, restorer, mask uintptr }

// ignored is the handler SIG_IGN.
const ignored = 1

// Signals catches each of sigs, except SIGHUP and SIGINT where those were ignored when this process was
// started, and returns a channel on which they arrive. Two that come in the same instant can change places.
// SIGPIPE is caught too and does not arrive: after that a write without a reader fails and does not end the
// process. Signals is called once.
//
// The pipe takes 65,536 signals (4,096 where a user has many pipes) that nobody has received yet. Of what
// comes while it is full only SIGCHLD is made up for, since nobody sends that one again.
func Signals(sigs []syscall.Signal) (<-chan syscall.Signal, error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	pipe = uintptr(fds[1])
	for _, sig := range sigs {
		if isFault(sig) {
			set(sig, sift)
		} else {
			set(sig, pass)
		}
	}
	set(unix.SIGPIPE, drop)
	to := make(chan syscall.Signal, room)
	go receive(os.NewFile(uintptr(fds[0]), "signals"), to)
	return to, nil
}

// receive reads signals from the pipe, which ends with the process. Where the poller of Go's runtime cannot take
// the pipe, because the user has as many watches as may be (fs.epoll.max_user_watches), a thread waits.
func receive(from *os.File, to chan<- syscall.Signal) {
	var numbers [64]byte
	read := from.Read
	for {
		n, err := read(numbers[:])
		for _, number := range numbers[:max(n, 0)] {
			to <- syscall.Signal(number)
		}
		if full {
			full = false
			to <- unix.SIGCHLD
		}
		if err != nil && err != unix.EINTR {
			fd := int(from.Fd()) // reads wait from now on
			read = func(b []byte) (int, error) { return unix.Read(fd, b) }
		}
	}
}

// set installs a handler, unless the signal is ignored. Go's runtime leaves only SIGHUP and SIGINT ignored.
func set(sig syscall.Signal, handler uintptr) {
	const siginfo, onStack, restart, restorer = 0x4, 0x08000000, 0x10000000, 0x04000000 // SA_SIGINFO and so on
	ours := action{handler, siginfo | onStack | restart | restorer, leave, ^uintptr(0)}
	var old action
	if sig == unix.SIGHUP || sig == unix.SIGINT || handler == sift {
		if sigaction(sig, nil, &old); old.handler == ignored || old.handler == 0 && handler == sift {
			return
		}
	}
	if handler == sift {
		before = old.handler // it is the same for all signals
	}
	sigaction(sig, &ours, nil)
}

// Reset gives a signal its default action.
func Reset(sig syscall.Signal) { sigaction(sig, &action{}, nil) }

// sigaction is rt_sigaction(2). It cannot fail for a signal that exists and can be caught.
func sigaction(sig syscall.Signal, to, old *action) {
	const setSize = 8
	syscall.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(to)), uintptr(unsafe.Pointer(old)), setSize, 0, 0)
}
