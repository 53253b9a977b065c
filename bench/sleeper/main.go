// Command sleeper is a service that costs as little as one can: it opens the FIFO that is its argument,
// writes a byte into it and sleeps. For each SIGUSR1 it writes when that came: the struct timespec of the
// monotonic clock. usage: sleeper FIFO
//
// Linked with "-E main.entry", it does that in a few system calls before Go's runtime starts, so that
// thousands of them fit in a small memory. Main does the same where there is no entry.
package main

import (
	"os"
	"os/signal"
	"syscall"
	"unsafe"
)

func main() {
	asked := make(chan os.Signal, 64)
	signal.Notify(asked, syscall.SIGUSR1)
	fifo, err := os.OpenFile(os.Args[1], os.O_WRONLY, 0)
	if err != nil {
		os.Exit(1)
	}
	_, err = fifo.Write([]byte{0})
	for err == nil {
		<-asked
		var now [2]int64
		const monotonic = 1
		_, _, _ = syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, monotonic, uintptr(unsafe.Pointer(&now)), 0)
		_, err = fifo.Write(unsafe.Slice((*byte)(unsafe.Pointer(&now)), 16))
	}
	os.Exit(1)
}
