// Package cgroup is cgroup v2 as directories: a [Dir] is one cgroup, its methods read and
// write the kernel's files in it. The package knows nothing of jobs.
//
// It does what package cgroup2 of github.com/containerd/cgroups/v3 does, and the tests hold
// limits, controllers and statistics against that package. It is not linked into process 1:
// eBPF, D-Bus, protobuf and the network come with it, which made the binary 7.4 MB instead of
// 2.9, and the start slower. Nor does all of it serve one:
//
//   - Limits: cpu.max is written only if OCI's period is given, no limit (-1) of memory or
//     swap is written as it stands, which the kernel refuses, and what is in OCI's unified
//     map is left out.
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
