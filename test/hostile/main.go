// Command hostile is a job that tries to get away from cginit and to harm others, in every way that a seal forbids.
//
//	hostile MARKER TREES [limit]
//
// TREES is the program test/trees, of which it starts two that fork meanwhile. Processes whose command line contains
// MARKER are its own; all others are its targets. It prints one line of JSON for each way: how often it was tried, how
// often refused, and what was not. Then it prints "done" and stays. With limit it then limits the CPU time of its
// parent, the holder, which no seal forbids, and has it reap more than it can in that time.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Way is one way to do harm.
type Way struct {
	Name           string
	Tried, Refused int
	Not            []string // what was not refused
}

func (w *Way) try(what string, err error) {
	w.Tried++
	switch err {
	case unix.EPERM, unix.EACCES, unix.EROFS:
		w.Refused++
	case unix.ESRCH, unix.ENOENT: // it is gone
		w.Tried--
	case nil:
		w.Not = append(w.Not, what)
	default:
		w.Not = append(w.Not, what+": "+err.Error())
	}
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == "inner" {
		mount(&Way{Name: "mount in namespaces of its own"}).print()
		return
	}
	marker := os.Args[1]
	if unix.Kill(1, 0) == nil { // what follows would be the end of the machine
		fmt.Println("not sealed: process 1 can be signalled")
		os.Exit(1)
	}
	signal.Notify(make(chan os.Signal, 1), unix.SIGTERM, unix.SIGHUP, unix.SIGINT) // and is never looked at
	everybody().print()                                                            // its own processes too, so there are none yet
	for _, args := range [][]string{{"deaf", "10"}, {"bomb", "20", "--rate", "400"}} {
		tree := exec.Command(os.Args[2], append(args, "--marker", marker)...)
		tree.Stdout = os.Stdout
		if err := tree.Start(); err != nil {
			fmt.Println("cannot start a tree:", err)
			os.Exit(1)
		}
	}
	for _, way := range []func(*Way, []int) *Way{kill, pidfds, trace, memory, sigio} {
		way(&Way{}, targets(marker)).print()
	}
	for _, way := range []func(*Way) *Way{files, clone3, mount, detached, handles} {
		way(&Way{}).print()
	}
	inner(marker)
	fmt.Println("done")
	if len(os.Args) > 3 {
		limit := unix.Rlimit{Cur: 1, Max: 1} // seconds
		if err := unix.Prlimit(os.Getppid(), unix.RLIMIT_CPU, &limit, nil); err != nil {
			fmt.Println("cannot limit the holder:", err)
			os.Exit(1)
		}
		_ = exec.Command(os.Args[2], "bomb", "40", "--rate", "20000", "--marker", marker).Run() // the holder has to reap
	}
	for {
		_ = unix.Pause()
	}
}

func (w *Way) print() {
	text, _ := json.Marshal(w)
	fmt.Println(string(text))
}

// targets returns the pids of all processes that are not its own.
func targets(marker string) (pids []int) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		line, err := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		if err == nil && len(line) > 0 && !bytes.Contains(line, []byte(marker)) {
			pids = append(pids, pid)
		}
	}
	return pids
}

var deadly = []syscall.Signal{0, unix.SIGCONT, unix.SIGSTOP, unix.SIGTERM, unix.SIGKILL}

func kill(w *Way, pids []int) *Way {
	w.Name = "signals"
	for _, pid := range pids {
		for _, sig := range deadly {
			w.try(fmt.Sprintf("kill %d by %d", pid, sig), unix.Kill(pid, sig))
			w.try(fmt.Sprintf("tgkill %d by %d", pid, sig), unix.Tgkill(pid, pid, sig))
			if group, err := unix.Getpgid(pid); err == nil && group > 1 && group != unix.Getpgrp() {
				w.try(fmt.Sprintf("kill group %d by %d", group, sig), unix.Kill(-group, sig))
			}
		}
	}
	return w
}

func pidfds(w *Way, pids []int) *Way {
	w.Name = "signals through a pidfd"
	for _, pid := range pids {
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			continue
		}
		for _, flags := range []int{0, unix.PIDFD_SIGNAL_THREAD, unix.PIDFD_SIGNAL_THREAD_GROUP, unix.PIDFD_SIGNAL_PROCESS_GROUP} {
			err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, flags)
			if err == unix.ESRCH && flags == unix.PIDFD_SIGNAL_PROCESS_GROUP || err == unix.EINVAL { // before Linux 6.9
				continue
			}
			w.try(fmt.Sprintf("pidfd of %d, flags %d", pid, flags), err)
		}
		unix.Close(fd)
	}
	return w
}

// everybody signals all that the kernel lets it; the answer tells nothing. It is only for a PID namespace, or a user
// that has no other processes.
func everybody() *Way {
	w := &Way{Name: "kill(-1)"}
	for _, sig := range deadly[1:] {
		_ = unix.Kill(-1, sig)
	}
	w.Tried, w.Refused = 1, 1
	return w
}

func trace(w *Way, pids []int) *Way {
	w.Name = "ptrace"
	for _, pid := range pids {
		w.try(fmt.Sprintf("attach to %d", pid), unix.PtraceAttach(pid))
		w.try(fmt.Sprintf("seize %d", pid), unix.PtraceSeize(pid))
	}
	return w
}

func memory(w *Way, pids []int) *Way {
	w.Name = "memory and descriptors of others"
	for _, pid := range pids {
		for _, flags := range []int{os.O_RDONLY, os.O_RDWR} {
			fd, err := unix.Open(fmt.Sprintf("/proc/%d/mem", pid), flags, 0)
			w.try(fmt.Sprintf("open the memory of %d", pid), err)
			unix.Close(fd)
		}
		var there [1]byte
		local := []unix.Iovec{{Base: &there[0], Len: 1}}
		_, err := unix.ProcessVMReadv(pid, local, []unix.RemoteIovec{{Base: 4096, Len: 1}}, 0)
		w.try(fmt.Sprintf("read the memory of %d", pid), err)
		if fd, err := unix.PidfdOpen(pid, 0); err == nil {
			_, err := unix.PidfdGetfd(fd, 0, 0)
			w.try(fmt.Sprintf("get a descriptor of %d", pid), err)
			unix.Close(fd)
		}
	}
	return w
}

// sigio has the kernel send SIGKILL for a descriptor that can be read. Nothing tells whether that was refused, but
// what lives on.
func sigio(w *Way, pids []int) *Way {
	w.Name = "signals for a descriptor (F_SETOWN, F_SETSIG)"
	for _, pid := range pids {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		if err != nil {
			continue
		}
		_, err1 := unix.FcntlInt(uintptr(pair[0]), unix.F_SETOWN, pid)
		_, err2 := unix.FcntlInt(uintptr(pair[0]), unix.F_SETSIG, int(unix.SIGKILL))
		_, err3 := unix.FcntlInt(uintptr(pair[0]), unix.F_SETFL, unix.O_ASYNC)
		_, err4 := unix.Write(pair[1], []byte("x"))
		if err1 == nil && err2 == nil && err3 == nil && err4 == nil {
			w.Tried++
			w.Refused++
		}
		unix.Close(pair[0])
		unix.Close(pair[1])
	}
	return w
}

const cgroups = "/sys/fs/cgroup"

// files writes to the cgroup tree by every path that leads there.
func files(w *Way) *Way {
	w.Name = "files of cgroups"
	write := func(path string) {
		fd, err := unix.Open(path, unix.O_WRONLY, 0)
		if err == nil {
			_, err = unix.Write(fd, []byte("0"))
			unix.Close(fd)
		}
		w.try("write to "+path, err)
		fd, err = unix.Open(path, unix.O_WRONLY|unix.O_TRUNC, 0)
		w.try("open and truncate "+path, err)
		unix.Close(fd)
	}
	names := []string{"cgroup.procs", "cgroup.threads", "cgroup.kill", "cgroup.freeze", "cgroup.subtree_control"}
	for _, dir := range append([]string{cgroups}, below(cgroups)...) {
		for _, name := range names {
			write(dir + "/" + name)
			write("/proc/1/root" + dir + "/" + name)
			write("/proc/self/root" + dir + "/" + name)
		}
		if os.Chdir(dir) == nil {
			write("cgroup.procs")
			write("/proc/self/cwd/cgroup.procs")
		}
		if made := dir + "/hostile"; os.Mkdir(made, 0o755) == nil {
			write(made + "/cgroup.procs")
			_ = os.Remove(made)
		}
		if fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY, 0); err == nil {
			write(fmt.Sprintf("/proc/self/fd/%d/cgroup.procs", fd))
			unix.Close(fd)
		}
	}
	_ = os.Chdir("/")
	return w
}

// clone3 asks whether there is the call that could place a process in a cgroup: with no arguments it does nothing.
func clone3(w *Way) *Way {
	w.Name = "clone3"
	_, _, errno := unix.RawSyscall(unix.SYS_CLONE3, 0, 0, 0)
	if w.Tried = 1; errno == unix.ENOSYS {
		w.Refused = 1
	}
	return w
}

// below returns the directories below one.
func below(dir string) (dirs []string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() {
			dirs = append(append(dirs, dir+"/"+e.Name()), below(dir+"/"+e.Name())...)
		}
	}
	return dirs
}

func mount(w *Way) *Way {
	if w.Name == "" {
		w.Name = "mount"
	}
	dir, err := os.MkdirTemp("", "hostile")
	if err != nil {
		w.Not = append(w.Not, err.Error())
		return w
	}
	defer os.Remove(dir)
	w.try("mount cgroup2", unix.Mount("cgroup2", dir, "cgroup2", 0, ""))
	w.try("mount tmpfs", unix.Mount("tmpfs", dir, "tmpfs", 0, ""))
	w.try("bind", unix.Mount(cgroups, dir, "", unix.MS_BIND, ""))
	w.try("remount", unix.Mount("", cgroups, "", unix.MS_REMOUNT|unix.MS_BIND, ""))
	w.try("unmount", unix.Unmount("/proc", unix.MNT_DETACH))
	w.try("pivot_root", unix.PivotRoot(dir, dir))
	return w
}

// detached writes through mounts that are nowhere in the tree.
func detached(w *Way) *Way {
	w.Name = "detached mounts"
	through := func(what string, fd int, err error) {
		if err == nil {
			var file int
			if file, err = unix.Openat(fd, "cgroup.procs", unix.O_WRONLY, 0); err == nil {
				unix.Close(file)
			}
			unix.Close(fd)
		}
		if err == unix.EINVAL || err == unix.ENOENT { // there is no cgroup2
			return
		}
		w.try(what, err)
	}
	fs, err := unix.Fsopen("cgroup2", 0)
	mnt := -1
	if err == nil {
		if err = unix.FsconfigCreate(fs); err == nil {
			mnt, err = unix.Fsmount(fs, 0, 0)
		}
	}
	through("fsmount", mnt, err)
	tree, err := unix.OpenTree(unix.AT_FDCWD, cgroups, unix.OPEN_TREE_CLONE)
	through("a copy of the mount", tree, err)
	tree, err = unix.OpenTree(unix.AT_FDCWD, cgroups, 0)
	through("open_tree", tree, err)
	return w
}

// handles opens a file by its handle, without a path.
func handles(w *Way) *Way {
	w.Name = "file handles"
	handle, _, err := unix.NameToHandleAt(unix.AT_FDCWD, cgroups+"/cgroup.procs", 0)
	if err != nil {
		return w
	}
	dir, err := unix.Open(cgroups, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return w
	}
	fd, err := unix.OpenByHandleAt(dir, handle, unix.O_WRONLY)
	w.try("open by handle", err)
	unix.Close(fd)
	return w
}

// inner tries to mount in namespaces of its own.
func inner(marker string) {
	w := &Way{Name: "mount in namespaces of its own"}
	cmd := exec.Command("/proc/self/exe", "inner", marker)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP}
	out, err := cmd.Output()
	if err == nil {
		fmt.Println(strings.TrimSpace(string(out)))
		return
	}
	w.try("make them", unwrap(err))
	w.print()
}

func unwrap(err error) error {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok {
			return err
		}
		err = u.Unwrap()
	}
}
