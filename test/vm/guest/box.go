package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// box is the place where cginit runs. It is a cgroup of its own with new pid, mount, uts, ipc and
// cgroup namespaces, as in a container. Outside, it is the VM's real root, where cginit is not process
// 1.
type box struct {
	result
	outside bool
	dir     string   // the cgroup as seen from outside
	entry   []string // the command that executes cginit with the arguments that follow
	report  string
	stderr  string
	cmd     *exec.Cmd
	ended   chan struct{} // closed when cginit has ended
}

// patience bounds the wait for an event. Emulation is slow, but not that slow.
const patience = time.Minute

func (b *box) start(args ...string) error {
	b.prepare(args...)
	return b.launch()
}

// prepare makes the command that becomes cginit in the box.
func (b *box) prepare(args ...string) {
	b.report, b.stderr = "/tmp/"+b.Scenario+".json", "/tmp/"+b.Scenario+".err"
	argv := slices.Concat(b.entry, []string{"--report=" + b.report}, args)
	if !b.outside {
		argv = append([]string{"/init", "box"}, argv...)
	}
	b.cmd = exec.Command(argv[0], argv[1:]...)
	b.cmd.SysProcAttr = &syscall.SysProcAttr{}
	if !b.outside {
		b.cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC
	}
}

func (b *box) launch() error {
	if err := os.WriteFile(terminationLog, nil, 0o644); err != nil {
		return err
	}
	// This is a file and not a pipe, so that a process that outlives cginit cannot keep Wait waiting.
	stderr, err := os.Create(b.stderr)
	if err != nil {
		return err
	}
	defer stderr.Close()
	b.cmd.Stderr = stderr
	if b.outside {
		err = b.cmd.Start()
	} else {
		err = startIn(b.dir, b.cmd)
	}
	if err != nil {
		return err
	}
	b.ended = make(chan struct{})
	go func() {
		_ = b.cmd.Wait() // the caller looks at the exit status
		close(b.ended)
	}()
	return nil
}

// startIn starts a command that is born in a cgroup.
func startIn(cgroup string, cmd *exec.Cmd) error {
	dir, err := os.Open(cgroup)
	if err != nil {
		return err
	}
	defer dir.Close()
	cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(dir.Fd())
	return cmd.Start()
}

// enterBox does the rest of the way into the box and executes a command. The cgroup namespace cannot be
// made by the clone: its root would be the cgroup of the parent.
func enterBox(argv []string) error {
	runtime.LockOSThread() // the thread that unshares the namespace must be the one that execs
	if err := syscall.Unshare(syscall.CLONE_NEWCGROUP); err != nil {
		return err
	}
	if err := syscall.Mount("", "/", "", syscall.MS_PRIVATE|syscall.MS_REC, ""); err != nil {
		return err
	}
	// The unmount is lazy, because Go's runtime keeps its own cpu.max open.
	if err := syscall.Unmount(cgroupRoot, syscall.MNT_DETACH); err != nil {
		return err
	}
	for fs, dir := range map[string]string{"proc": "/proc", "cgroup2": cgroupRoot} {
		if err := syscall.Mount(fs, dir, fs, 0, ""); err != nil {
			return fmt.Errorf("mount %s: %w", dir, err)
		}
	}
	if own := read("/proc/thread-self/cgroup"); own != "0::/" {
		return fmt.Errorf("not in a cgroup namespace: %s", own)
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return err
	}
	return syscall.Exec(path, argv, os.Environ())
}

// wait waits until cginit has ended. It does not look at how it ended, which settle records.
func (b *box) wait() error {
	select {
	case <-b.ended:
		return nil
	case <-time.After(patience):
		_ = b.cmd.Process.Kill()
		<-b.ended
		return fmt.Errorf("cginit had not ended after %s", patience)
	}
}

func (b *box) run(args ...string) error {
	if err := b.start(args...); err != nil {
		return err
	}
	return b.wait()
}

// stop asks cginit to stop and waits until it has. If cginit had ended by itself, the receipt says so.
func (b *box) stop() error {
	if err := b.cmd.Process.Signal(syscall.SIGTERM); err != nil && err != os.ErrProcessDone {
		return err
	}
	return b.wait()
}

// until waits until an event has happened.
func until(what string, happened func() bool) error {
	deadline := time.After(patience)
	for !happened() {
		select {
		case <-deadline:
			return fmt.Errorf("not seen in %s: %s", patience, what)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// until waits until an event has happened, and fails if cginit ends before that.
func (b *box) until(what string, happened func() bool) error {
	seen := false
	err := until(what, func() bool {
		seen = happened()
		select {
		case <-b.ended:
			return true
		default:
			return seen
		}
	})
	if err == nil && !seen {
		return fmt.Errorf("cginit ended (%s) before this was seen: %s", b.cmd.ProcessState, what)
	}
	return err
}

// job returns the cgroup of the box's only run, "" before it is made.
func (b *box) job() string {
	found, _ := filepath.Glob(b.dir + "/cginit.jobs*/main.1")
	return strings.Join(found, " ")
}

// holds waits until a process with this command line is in the job, and returns its pid.
func (b *box) holds(command string) (pid string, err error) {
	return pid, b.until(command+" in the job", func() bool {
		for _, pid = range procs(b.job()) {
			if cmdline(pid) == command {
				return true
			}
		}
		return false
	})
}

// open makes the box's cgroup. close removes it, and kills the processes that are still there.
func (b *box) open() error {
	if b.dir == cgroupRoot {
		return nil
	}
	return os.MkdirAll(b.dir, 0o755)
}

func (b *box) close() error {
	for _, dir := range append(b.below(), b.dir) {
		if dir == cgroupRoot {
			continue
		}
		_ = os.WriteFile(dir+"/cgroup.kill", []byte("1"), 0)
		gone := func() bool { err := syscall.Rmdir(dir); return err == nil || err == syscall.ENOENT }
		if err := until(dir+" removed", gone); err != nil {
			return err
		}
	}
	return nil
}
