// Package supervisor is process 1 of a container, or a subreaper elsewhere. It starts jobs, holds
// every process that a job starts, and tears each job down. The directory is called init, but Go
// does not allow that name for a package: import it as supervisor ".../init".
//
// These rules hold:
//
//   - One goroutine, [Supervisor.Run], owns every process: it alone forks, waits, signals, freezes,
//     kills, removes cgroups and changes a job. Every other goroutine turns one blocking read into one
//     message and holds no state. There are no locks, and no os/exec, whose Wait would race the
//     reaper.
//   - Messages are hints, not facts. SIGCHLD, "a cgroup has changed" and "the timer has fired" all
//     mean: go and look. The loop never counts messages, so several of them can be merged into one.
//   - Two pure state machines, life.Run and life.Job, decide what happens next: they take an event
//     and return actions. A deadline is a field, and every transition sets it anew. No other code
//     can change their state.
//   - One job affects another only through settle. After a change, settle looks at all jobs: which
//     of them may start now, which may stop, and whether all are up.
//   - The loop does not block. Log lines, receipts and replies go through bounded queues.
//
// The steps of a job (pre_start, post_start, pre_stop) and its health checks are runs as well. All
// but pre_start steps have their cgroup inside that of the job's run, and end with it.
//
// This package holds the loop and its verbs. Other packages hold what they work with: life (the
// state machines), hold (the containments), child (the code between fork and exec), output (the log
// and the output of jobs), host (the findings of --check), config (the file and the flags), control
// (the wire). docs/development.md has a map of them, and follows a run through it.
package supervisor
