package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cginit/cginit/cgroup"
	"golang.org/x/sys/unix"
)

// wardName is the first argument of this program where it is a ward.
const wardName = "ward"

// ward is process 1 of a PID namespace with a /proc of its own, in which a contestant runs. It reaps and
// ends when nothing is left in it. So whatever a contestant leaves alive is found, and ends with the ward.
type ward struct {
	cmd *exec.Cmd
	// pid is the contestant as this process sees it. It is the ward's own if the contestant is process 1.
	pid   int
	space string // the PID namespace
	// cgroup is the ward's own, if one can be made. Cginit makes its cgroups in it.
	cgroup cgroup.Dir
}

// inside says how a contestant runs in a ward.
type inside struct {
	first bool // the contestant is process 1, in place of the ward
	// noCgroups hides all cgroups from the contestant.
	noCgroups bool
	apart     bool // the contestant is born in the cgroup "apart" below the ward's
}

// enter starts a contestant in a ward of its own. Its output goes to out, which may be nil.
func (l *lab) enter(argv []string, in inside, out *os.File) (*ward, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	w := &ward{}
	sys := &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS, Setsid: true}
	if l.own != "" {
		if w.cgroup, err = l.cgroup(); err != nil {
			return nil, err
		}
		fd, err := syscall.Open(string(w.cgroup), syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		defer syscall.Close(fd)
		sys.UseCgroupFD, sys.CgroupFD = true, fd
	}
	apart := ""
	if in.apart {
		dir, err := w.cgroup.Make("apart")
		if err != nil {
			return nil, err
		}
		apart = string(dir)
	}
	cmd := exec.Command(self, append([]string{wardName, strconv.FormatBool(in.first), strconv.FormatBool(in.noCgroups), apart}, argv...)...)
	cmd.SysProcAttr, w.cmd = sys, cmd
	if out != nil {
		cmd.Stdout = out
	}
	// The ward closes this pipe when the contestant has been started.
	started, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer started.Close()
	cmd.ExtraFiles = []*os.File{write}
	err = cmd.Start()
	write.Close()
	if err != nil {
		return nil, err
	}
	w.pid = cmd.Process.Pid
	if said, _ := io.ReadAll(started); len(said) > 0 {
		w.end()
		return nil, fmt.Errorf("%s cannot be started: %s", argv[0], said)
	}
	if w.space, err = os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", w.pid)); err == nil && !in.first {
		w.pid, err = firstChild(w.pid)
	}
	if err != nil {
		w.end()
		return nil, err
	}
	return w, nil
}

// beWard is the ward's side: args are whether the contestant is process 1, whether it has no cgroups, the
// cgroup that it is born in if that is not the ward's own, and its command line. It never returns.
func beWard(args []string) {
	started := os.NewFile(3, "started")
	fail := func(err error) {
		_, _ = started.WriteString(err.Error())
		os.Exit(1)
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		fail(err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		fail(err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		fail(err)
	}
	if args[1] == "true" {
		if err := unmountCgroups(); err != nil {
			fail(err)
		}
	}
	argv := args[3:]
	program, err := exec.LookPath(argv[0])
	if err != nil {
		fail(err)
	}
	unix.CloseOnExec(3)
	if args[0] == "true" {
		fail(syscall.Exec(program, argv, os.Environ()))
	}
	attr := &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{}}
	if args[2] != "" {
		fd, err := syscall.Open(args[2], syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
		if err != nil {
			fail(err)
		}
		attr.Sys.UseCgroupFD, attr.Sys.CgroupFD = true, fd
	}
	if _, err := syscall.ForkExec(program, argv, attr); err != nil {
		fail(err)
	}
	started.Close()
	for {
		if _, err := syscall.Wait4(-1, nil, 0, nil); errors.Is(err, syscall.ECHILD) {
			os.Exit(0)
		}
	}
}

// end kills all that is in the ward.
func (w *ward) end() {
	_ = w.cmd.Process.Kill()
	_ = w.wait()
}

// wait waits for the ward's end and removes what cgroups are left of it.
func (w *ward) wait() error {
	err := w.cmd.Wait()
	if w.cgroup != "" {
		return errors.Join(err, w.cgroup.Remove())
	}
	return err
}

// linger is how long after a contestant's own end something of it may still be alive without being
// counted as a survivor.
var linger = 5 * time.Second

// stop sends a signal to the contestant and returns how long it took until nothing was left of it. What
// is alive a while after the limit, or after the contestant's own end, has survived, and is killed.
func (w *ward) stop(sig syscall.Signal, limit time.Duration) (time.Duration, error) {
	own, err := unix.PidfdOpen(w.pid, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(own)
	all, err := unix.PidfdOpen(w.cmd.Process.Pid, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(all)
	begin := time.Now()
	if err := syscall.Kill(w.pid, sig); err != nil {
		return 0, err
	}
	awaitEnd(own, limit)
	gone := awaitEnd(all, linger)
	took := time.Since(begin)
	if !gone {
		left := len(w.members()) - 1 // the ward itself
		w.end()
		return 0, survivors(left)
	}
	return took, w.wait()
}

// awaitEnd waits for the end of the process of a pidfd, at most for a while, and tells whether it came.
func awaitEnd(pidfd int, limit time.Duration) bool {
	deadline := time.Now().Add(limit)
	for {
		fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, int(max(0, time.Until(deadline)).Milliseconds()))
		if n > 0 {
			return true
		}
		if !errors.Is(err, unix.EINTR) {
			return false
		}
	}
}

// members returns the processes in the ward, the ward's own included, without zombies.
func (w *ward) members() []int {
	var pids []int
	all, _ := filepath.Glob("/proc/[0-9]*/ns/pid")
	for _, link := range all {
		if space, err := os.Readlink(link); err == nil && space == w.space { // a zombie has no namespace
			pid, _ := strconv.Atoi(strings.Split(link, "/")[2])
			pids = append(pids, pid)
		}
	}
	return pids
}

// firstChild returns the oldest child of a process with one thread that forks.
func firstChild(pid int) (int, error) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, file := range tasks {
		data, err := os.ReadFile(file)
		if err != nil {
			return 0, err
		}
		if all := strings.Fields(string(data)); len(all) > 0 {
			return strconv.Atoi(all[0])
		}
	}
	return 0, fmt.Errorf("process %d has no child", pid)
}
