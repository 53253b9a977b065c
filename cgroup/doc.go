// Package cgroup works with cgroup v2 through its directories: a [Dir] is one cgroup, and its methods
// read and write the kernel's files in it. The package knows nothing of jobs.
//
// Package cgroup2 of github.com/containerd/cgroups/v3 has the same purpose, and the tests compare
// limits, controllers and statistics with it. Process 1 does not link it: it brings eBPF, D-Bus,
// protobuf and the network, which made the binary 7.4 MB instead of 2.9 and its start slower. It
// also differs in four places:
//
//   - Limits: it writes cpu.max only if OCI's period is given, it writes "no limit" (-1) of memory
//     or swap as -1, which the kernel refuses, and it leaves out OCI's unified map.
//   - Freeze: its Freeze reads cgroup.freeze, which holds the request, and so returns before the
//     cgroup is frozen. The state is in cgroup.events.
//   - Kill: without cgroup.kill it loses races against fork. It also waits for the processes that it
//     killed, which takes their exit statuses from the supervisor's reaper.
//   - Notifications: it needs a goroutine and an inotify instance for each cgroup. Inotify instances
//     are limited for each user, and busy nodes run out of them. [Watcher] is one epoll set for all.
//
// The kernel documents cgroup v2 in Documentation/admin-guide/cgroup-v2.rst.
package cgroup
