// Package supervisor is process 1 (or a subreaper, where it is not): it starts jobs, holds all
// that each of them starts, and tears each down. It lives in init because Go keeps that name
// for functions: import it as supervisor ".../init".
//
// What holds:
//
//   - One goroutine, [Supervisor.Run], owns every process: it alone forks, waits, signals,
//     freezes, kills, removes cgroups and changes a job. The others turn one blocking read
//     into one message and hold no state. There are no locks, and no os/exec, whose Wait
//     would race the reaper.
//   - Messages are hints, not facts. SIGCHLD, "a cgroup has changed" and "the timer has
//     fired" all mean: go and look. Nothing is counted, so nothing can be lost by merging.
//   - What happens next is decided by two functions that are pure: run.step, the life of one
//     run, and job.step, that of a job over its runs. State and event in, actions out. A
//     deadline is a field, and every transition sets it anew.
//   - What one job does concerns others only through settle, which looks at all of them once
//     something has changed: who may start now, who may stop, is everything up, is all done.
//   - The loop does not block. Log lines, receipts and replies go through bounded queues.
//
// The life of a run (run.go):
//
//	idle ─start→ starting ─→ running ─stop→ (asking ─frozen→) stopping
//	                            │                               │ the main process ends
//	     the main process ends  ├→ leaving ←────────────────────┘
//	                            └→ waiting (leftovers: wait, and daemons)
//	any of these ─time is up, kill→ freezing ─frozen→ killing ─→ (stuck)
//	any of these ─empty→ removing ─removed→ ended
//
// asking, only for kill mode control-group: frozen, so that all are asked in one instant.
// stuck: something cannot be killed (state D). The run has not ended then, and says so.
//
// The life of a job (job.go):
//
//	down ─start→ blocked ─what it depends on is there→ (preparing) → starting ─ready→ up
//	     preparing, starting, up ─stop, bad→ stopping
//	     stopping, or any of those ─the run has ended→ down, done, failed,
//	         or delayed ─time is up→ blocked
//
// The steps before and after a job, and its health checks, are runs as well: their cgroups are
// inside that of the job's run, and they end with it.
//
// Where to look: supervisor.go has the loop, prepare.go what can fail before it; lifecycle.go
// and phases.go what job.step's actions do, and the start, the shutdown and the exit status of
// all; act.go what run.step's do; spawn_linux.go and helper_linux.go the fork, reap_linux.go
// the wait; contain*.go what holds a run; serve.go what comes over the control socket.
package supervisor
