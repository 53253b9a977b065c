package proctree

import (
	"os"

	"github.com/cginit/cginit/init/proc"
	"golang.org/x/sys/unix"
)

// leastSlice is the shortest slice of CPU time that the kernel grants, in nanoseconds.
const leastSlice = 100_000

// claimCPU gives a thread of ours, 0 for the calling one, precedence over hundreds of processes
// that fork.
//
// With CAP_SYS_NICE it takes the real-time class: where the kernel divides the CPU by sessions
// (sched_autogroup), a nice value counts only within our session. Without the capability the thread
// gets no more of the CPU than any other. It then asks for short slices, so that it at least gets
// its share at once (since Linux 6.12).
func claimCPU(tid int) {
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 1}
	if unix.SchedSetAttr(tid, &attr, 0) == nil || unix.Setpriority(unix.PRIO_PROCESS, tid, -20) == nil {
		return
	}
	if nice, err := unix.Getpriority(unix.PRIO_PROCESS, tid); err == nil {
		// getpriority(2) returns 20 less the nice value.
		attr = unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL}
		attr.Nice, attr.Runtime = int32(20-nice), leastSlice
		_ = unix.SchedSetAttr(tid, &attr, 0)
	}
}

// claimForListening claims the CPU for all threads but that of watch. They have nothing to do but
// to serve the supervisor's requests, and any of them may be needed to pass one on.
func claimForListening() {
	claimCPU(0)
	for tid := range proc.OwnThreads {
		if tid != os.Getpid() {
			claimCPU(tid)
		}
	}
}
