package hold

import (
	"runtime"
)

// threads is how many threads the supervisor can need at once: the loop, the watcher, signals, three
// writers that have stalled, and the runtime's own.
const threads = 6

// ReserveThreads has the Go runtime start its threads now. The runtime keeps idle threads, but dies
// if it needs one more and cannot have it, and a job may take the container's last pid.
func ReserveThreads() {
	ready, release := make(chan struct{}), make(chan struct{})
	for range threads {
		go func() {
			runtime.LockOSThread() // a thread of its own, until all have one
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
