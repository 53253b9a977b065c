// Package cgroup is cgroup v2 as directories: a [Dir] is one cgroup, its methods read and
// write the kernel's files in it. The package knows nothing of jobs.
//
// Limits, controllers and statistics go through github.com/containerd/cgroups/v3. Three
// things that a process 1 must be sure of are done here on the file itself, because that
// library's way does not serve it:
//
//   - Freeze: its Freeze reads back cgroup.freeze, which is what was asked for, and so returns
//     before the cgroup is frozen. What is so stands in cgroup.events.
//   - Kill: its way for kernels without cgroup.kill loses races against fork, and it waits for
//     the processes that it killed, which takes their exit statuses from our reaper.
//   - Notifications: its event channel is a goroutine and an inotify instance for each cgroup,
//     and inotify instances are a quota for each user that real nodes exhaust. [Watcher] is
//     one epoll set for all.
//
// The kernel's own text: Documentation/admin-guide/cgroup-v2.rst.
package cgroup
