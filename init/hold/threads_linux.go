package hold

import (
	"runtime"
)

// threads is how many threads the supervisor can need at once: for the loop, the watcher, signals,
// three writers that have stalled, and for the runtime itself.
const threads = 6

// ReserveThreads makes the Go runtime start its threads now. The runtime keeps idle threads, but it
// dies if it needs another one and cannot have it, and a job may take the container's last pid.
func ReserveThreads() {
	ready, release := make(chan struct{}), make(chan struct{})
	for range threads {
		go func() {
			runtime.LockOSThread() // each goroutine keeps a thread until all have one
			ready <- struct{}{}
			<-release
			runtime.UnlockOSThread()
		}()
	}
	for range threads {
		<-ready
	}
	close(release)
}
