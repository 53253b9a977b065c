package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

var corners = []scenario{
	{"exec-without-limits", false, func(b *box) error { return execInto(b) }},
	{"exec-with-limits", false, func(b *box) error { return execInto(b, "--memory=64m") }},
	{"nested", false, nested},
	{"read-only", false, readOnly},
	{"sealed", false, sealed},
	{"unkillable-main", true, unkillable},
	{"unkillable-child", false, unkillable},
	{"unkillable-thread", false, unkillableThread},
	{"dying", false, dying},
	{"core-pipe", false, corePipe},
	{"root-core-pipe", true, corePipe},
}

// execInto enters the container as `docker exec` does: it tries the container's cgroup, and if that is
// refused, the cgroup of process 1. A process that forks all the time is in the container's cgroup
// before cginit starts.
func execInto(b *box, flags ...string) error {
	b.entry = []string{"sh", "-c", `while :; do sleep 0.05; done & exec cginit "$@"`, "cginit"}
	if err := b.start(append(flags, "--", "sleep", "1000")...); err != nil {
		return err
	}
	if _, err := b.holds("sleep 1000"); err != nil {
		return err
	}
	pid := fmt.Sprint(b.cmd.Process.Pid)
	b.look("/proc/"+pid, "cgroup")
	b.look(b.dir, "cgroup.subtree_control")
	leaf := cgroupRoot + strings.TrimPrefix(read("/proc/"+pid+"/cgroup"), "0::")
	for name, dir := range map[string]string{"container": b.dir, "process 1": leaf} {
		said, err := enter(pid, dir)
		b.Facts["exec into the cgroup of the "+name] = strings.TrimSpace(said)
		if err != nil {
			b.Facts["exec into the cgroup of the "+name] = err.Error()
		}
	}
	return b.stop()
}

// enter runs a command in the namespaces of pid, born in a cgroup, and returns its output.
func enter(pid, cgroup string) (string, error) {
	var said strings.Builder
	cmd := exec.Command("nsenter", "-t", pid, "-p", "-m", "--", "sh", "-c", "cat /proc/1/comm")
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = &said, os.Stderr, &syscall.SysProcAttr{}
	if err := startIn(cgroup, cmd); err != nil {
		return "", err
	}
	err := cmd.Wait()
	return said.String(), err
}

// nested runs a job that uses its own cgroup as a small root: it makes a leaf for itself, enables
// controllers, and leaves a process that ignores SIGTERM at the bottom.
func nested(b *box) error {
	if err := b.start("--memory=64m", "--stop-grace-period=5s", "--", "sh", "-c", `set -e
		own=/sys/fs/cgroup$(sed s/0:://  /proc/self/cgroup)
		mkdir -p $own/leaf $own/a/b/c
		echo 0 >$own/leaf/cgroup.procs
		echo +memory >$own/cgroup.subtree_control
		echo +memory >$own/a/cgroup.subtree_control
		(trap "" TERM; echo 0 >$own/a/b/c/cgroup.procs; exec setsid sleep 1000) &
		exec sleep 2000`); err != nil {
		return err
	}
	if err := b.until("a process at the bottom", func() bool {
		pids := procs(b.job() + "/a/b/c")
		return len(pids) == 1 && cmdline(pids[0]) == "sleep 1000"
	}); err != nil {
		return err
	}
	b.look(b.job(), "cgroup.subtree_control")
	return b.stop()
}

// sealed runs a sealed job as root, with a writable cgroup and all capabilities, that tries to leave its cgroup by
// several paths and to mount. Process 1 it may signal before Linux 6.12.
func sealed(b *box) error {
	if err := b.start("--seal", "--stop-grace-period=200ms", "--", "sh", "-c", `trap "" TERM
		own=/sys/fs/cgroup$(sed s/0:://  /proc/self/cgroup)
		{
			for file in /sys/fs/cgroup/cgroup.procs /proc/1/root/sys/fs/cgroup/cgroup.procs $own/../cgroup.procs $own/memory.max; do
				echo 0 >$file && echo "wrote $file"
			done
			cd /sys/fs/cgroup && echo 0 >cgroup.procs && echo "wrote from inside"
			mkdir $own/below && { echo 0 >$own/below/cgroup.procs && echo "wrote to a new one"; rmdir $own/below; }
			mount -t tmpfs tmpfs /mnt && echo mounted
			umount /proc && echo unmounted
			kill -0 1 && echo "may signal process 1"
			echo x >/tmp/sealed.file && echo "wrote a file"
		} >/tmp/sealed 2>/dev/null
		sleep 1000 & exec sleep 2000`); err != nil {
		return err
	}
	if _, err := b.holds("sleep 2000"); err != nil {
		return err
	}
	b.Facts["could"] = strings.TrimSpace(read("/tmp/sealed"))
	return b.stop()
}

// readOnly gives cginit a read-only tree, as most containers do, but with CAP_SYS_ADMIN.
func readOnly(b *box) error {
	b.entry = []string{"sh", "-c", `mount -o remount,bind,ro /sys/fs/cgroup && exec cginit "$@"`, "cginit"}
	main, err := b.grow("deaf", "--memory=64m")
	if err != nil {
		return err
	}
	defer main.Close()
	b.look(b.job(), "memory.max")
	return b.stop()
}
