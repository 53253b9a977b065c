package main

import (
	"bytes"
	"os"
	"runtime"
	"syscall"
)

// headless makes n children whose first thread has ended, while another lives. They ignore signals.
func headless(n int) {
	prepareExec("headless", 1)
	grow(n, leafHeadless)
}

//go:nosplit
func leafHeadless(int) { execNext() }

// joinHeadless makes this process one of them.
func joinHeadless(int) {
	setAll(&ignore)
	endFirstThread(func() { leafPlain(0) })
}

// headlessMain makes n children, and then ends the first thread of the main process, while another goes
// on. All processes ignore signals.
func headlessMain(n int) {
	setAll(&ignore)
	grow(n, leafPlain)
	endFirstThread(stay)
}

// endFirstThread ends the thread that calls it, which must be the first. Once the kernel shows that, then
// is called by another thread.
func endFirstThread(then func()) {
	go func() {
		runtime.LockOSThread()
		for !firstThreadHasEnded() {
			nap(1_000_000)
		}
		then()
	}()
	raw(syscall.SYS_EXIT, 0, 0, 0)
}

func firstThreadHasEnded() bool {
	stat, _ := os.ReadFile("/proc/self/stat")
	return bytes.Contains(stat, []byte(") Z "))
}
