// Package threads makes Go's runtime start threads before they are needed.
package threads

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Reserve makes the runtime start threads until n goroutines can be in a system call or running at once. The
// runtime keeps idle threads, but it dies if it needs another one and cannot have it, and a job may take the
// container's last pid.
//
// [runtime.LockOSThread] would do it too, but costs a thread for the runtime's own use.
func Reserve(n int) error {
	gate, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_SEMAPHORE)
	if err != nil {
		return os.NewSyscallError("eventfd2", err)
	}
	defer unix.Close(gate)
	ready, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_SEMAPHORE)
	if err != nil {
		return os.NewSyscallError("eventfd2", err)
	}
	defer unix.Close(ready)
	others, done := n-1, make(chan struct{}) // this goroutine has a thread too
	for range others {
		go func() {
			stand(ready, gate)
			done <- struct{}{}
		}()
	}
	for range others {
		stand(-1, ready)
	}
	for range others {
		add(gate)
	}
	for range others {
		<-done
	}
	return nil
}

// add adds one to an eventfd.
//
//go:nosplit
func add(eventfd int) {
	one := uint64(1)
	for {
		_, _, errno := syscall.RawSyscall(unix.SYS_WRITE, uintptr(eventfd), uintptr(unsafe.Pointer(&one)), unsafe.Sizeof(one))
		if errno != unix.EINTR {
			break
		}
	}
}

// enterSyscallBlock and exitSyscall are those of Go's runtime. In between other goroutines go on, at once.
//
//go:linkname enterSyscallBlock runtime.entersyscallblock
func enterSyscallBlock()

//go:linkname exitSyscall runtime.exitsyscall
func exitSyscall()

// stand adds one to an eventfd, unless that is -1, and stands in a read until it can take one from another.
//
//go:noinline
//go:nosplit
func stand(ready, gate int) {
	var taken uint64
	enterSyscallBlock()
	if ready >= 0 {
		add(ready)
	}
	for {
		_, _, errno := syscall.RawSyscall(unix.SYS_READ, uintptr(gate), uintptr(unsafe.Pointer(&taken)), unsafe.Sizeof(taken))
		if errno != unix.EINTR {
			break
		}
	}
	exitSyscall()
}
