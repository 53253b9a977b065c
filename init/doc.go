// Package supervisor is process 1 (or a subreaper, where it is not): it starts jobs, holds all that
// each of them starts, and tears each down. It lives in init because Go keeps that name for
// functions: import it as supervisor ".../init".
//
// These rules hold:
//
//   - One goroutine, [Supervisor.Run], owns every process: it alone forks, waits, signals, freezes,
//     kills, removes cgroups and changes a job. Every other goroutine turns one blocking read into one
//     message and holds no state. There are no locks, and no os/exec, whose Wait would race the
//     reaper.
//   - Messages are hints, not facts. SIGCHLD, "a cgroup has changed" and "the timer has fired" all
//     mean: go and look. Nothing is counted, so nothing can be lost by merging.
//   - Two pure state machines, life.Run and life.Job, decide what happens next: state and event
//     in, actions out. A deadline is a field, and every transition sets it anew. Nobody else can
//     change their state.
//   - What one job does concerns others only through settle, which looks at all of them once
//     something has changed: which may start now, which may stop, is everything up, is all done.
//   - The loop does not block. Log lines, receipts and replies go through bounded queues.
//
// The steps before and after a job, and its health checks, are runs as well. Their cgroups are inside
// that of the job's run, and they end with it.
//
// This package is the loop and its verbs. What they work with has rooms of its own: life (the state
// machines), hold (the containments), child (what happens after a fork), output (what is written),
// host (what --check finds), config (the file and the flags), control (the wire).
// docs/development.md has the map, and shows how a run travels through it.
package supervisor
