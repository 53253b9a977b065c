package proctree

import "runtime"

// spareThreads is how many threads a holder can need besides its first: one that listens, and one
// for the runtime to move to when another thread is in a system call.
const spareThreads = 2

// reserveThreads makes the runtime start its threads before the job starts. A program dies if its
// runtime cannot start a thread, and the job may take the last pid.
func reserveThreads() {
	ready, release := make(chan bool), make(chan bool)
	for range spareThreads {
		go holdThread(ready, release)
	}
	for range spareThreads {
		<-ready
	}
	close(release)
}

// holdThread keeps a thread to itself until release is closed. So each call of it needs another
// thread.
func holdThread(ready, release chan bool) {
	runtime.LockOSThread()
	ready <- true
	<-release
	runtime.UnlockOSThread()
}
