// Package supervisor is process 1 (or a subreaper, where it is not): it starts a job, holds
// all that the job starts, and tears it down. It lives in init because Go keeps that name for
// functions: import it as supervisor ".../init".
//
// What holds:
//
//   - One goroutine, [Supervisor.Run], owns every process: it alone forks, waits, signals,
//     freezes, kills, removes cgroups and changes a job. The others turn one blocking read
//     into one message and hold no state. There are no locks, and no os/exec, whose Wait
//     would race the reaper.
//   - Messages are hints, not facts. SIGCHLD, "a cgroup has changed" and "the timer has
//     fired" all mean: go and look. Nothing is counted, so nothing can be lost by merging.
//   - What a job does next is decided by job.step alone, which is pure: state and event in,
//     actions out. A deadline is a field of the job, and every transition sets it anew.
//   - The loop does not block. Log lines and receipts go through a bounded queue.
//
// The life of a run:
//
//	idle ─start→ starting ─→ running ─stop→ (asking ─frozen→) stopping
//	                            │                               │ the main process ends
//	     the main process ends  ├→ leaving ←────────────────────┘
//	                            └→ waiting (leftovers: wait)
//	any of these ─time is up, kill→ freezing ─frozen→ killing ─→ (stuck)
//	any of these ─empty→ removing ─removed→ ended
//
// asking, only for kill mode control-group: frozen, so that all are asked in one instant.
// stuck: something cannot be killed (state D). The job has not ended then, and says so.
package supervisor
