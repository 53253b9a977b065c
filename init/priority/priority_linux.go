// Package priority gives threads of ours precedence over the processes of jobs, however many those are.
package priority

import (
	"github.com/cginit/cginit/init/proc"
	"golang.org/x/sys/unix"
)

// leastSlice is the shortest slice of CPU time that the kernel grants, in nanoseconds.
const leastSlice = 100_000

// wishes are what a thread asks for, the best first.
//
// The real-time class needs CAP_SYS_NICE. It comes first because a nice value counts only within our session
// where the kernel divides the CPU by sessions (sched_autogroup). A cgroup of the cpu controller v1 may have no
// time for that class. Without the capability a thread gets no more of the CPU than any other. It then asks
// for short slices, so that it at least gets its share at once (since Linux 6.12).
var wishes = [...]unix.SchedAttr{
	{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 1, Flags: unix.SCHED_FLAG_RESET_ON_FORK},
	{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL, Nice: -20, Runtime: leastSlice, Flags: unix.SCHED_FLAG_RESET_ON_FORK},
	{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL, Runtime: leastSlice, Flags: unix.SCHED_FLAG_RESET_ON_FORK},
}

// Claim gives a thread of ours, 0 for the calling one, precedence over thousands of processes that fork.
// What the thread forks has the usual priority, also another thread of ours. A thread to which somebody has
// given another priority than the usual one keeps that, and so does what it forks.
func Claim(tid int) {
	now, err := unix.SchedGetAttr(tid, 0)
	if err != nil || !isUsual(now) {
		return
	}
	for i := range wishes {
		if unix.SchedSetAttr(tid, &wishes[i], 0) == nil {
			return
		}
	}
}

// isUsual tells whether a thread has the priority that nobody has changed.
func isUsual(a *unix.SchedAttr) bool { return a.Policy == unix.SCHED_NORMAL && a.Nice == 0 }

// isClaimed tells whether a thread has what Claim gives.
func isClaimed(a *unix.SchedAttr) bool {
	for _, w := range wishes {
		if a.Policy == w.Policy && a.Nice == w.Nice && a.Priority == w.Priority {
			return a.Flags&unix.SCHED_FLAG_RESET_ON_FORK != 0
		}
	}
	return false
}

// ClaimAll is Claim for all threads of this process.
func ClaimAll() {
	for tid := range proc.OwnThreads {
		Claim(tid)
	}
}

// Release gives a thread back the usual priority. It does nothing to a thread that Claim has left alone.
func Release(tid int) {
	now, err := unix.SchedGetAttr(tid, 0)
	if err != nil || !isClaimed(now) {
		return
	}
	usual := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL, Flags: unix.SCHED_FLAG_RESET_ON_FORK}
	_ = unix.SchedSetAttr(tid, &usual, 0)
}

// ReleaseAll is Release for all threads of this process.
func ReleaseAll() {
	for tid := range proc.OwnThreads {
		Release(tid)
	}
}
