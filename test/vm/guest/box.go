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

// box is where cginit runs: a cgroup of its own with new pid, mount, uts, ipc and cgroup
// namespaces, as in a container, or (outside) the VM's real root, where it is not process 1.
type box struct {
	result
	outside bool
	dir     string   // the cgroup, as seen from outside
	entry   []string // the command that becomes cginit, given its arguments
	report  string
	stderr  string
	cmd     *exec.Cmd
	ended   chan struct{} // closed at cginit's end
}

// patience is for events that must come; emulation is slow, but not this slow.
const patience = time.Minute

func (b *box) start(args ...string) error {
	b.prepare(args...)
	return b.launch()
}

// prepare makes the command that is cginit in the box.
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
	// A file, not a pipe: a process that outlives cginit must not keep us waiting.
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
		_ = b.cmd.Wait() // an exit status that is not 0 is no error here
		close(b.ended)
	}()
	return nil
}

// startIn has the command born in a cgroup.
func startIn(cgroup string, cmd *exec.Cmd) error {
	dir, err := os.Open(cgroup)
	if err != nil {
		return err
	}
	defer dir.Close()
	cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(dir.Fd())
	return cmd.Start()
}

// enterBox is the rest of the way into the box. The cgroup namespace cannot be cloned along:
// its root would be the cgroup of the one who cloned.
func enterBox(argv []string) error {
	runtime.LockOSThread() // the namespace is the thread's, and the thread that execs has to be it
	if err := syscall.Unshare(syscall.CLONE_NEWCGROUP); err != nil {
		return err
	}
	if err := syscall.Mount("", "/", "", syscall.MS_PRIVATE|syscall.MS_REC, ""); err != nil {
		return err
	}
	// Detached, because Go's runtime keeps its own cpu.max open.
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

// wait waits for cginit's end; how it ended is for settle to tell.
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

// stop asks cginit to stop and waits until it has. Should it have ended by itself, its
// receipt says so.
func (b *box) stop() error {
	if err := b.cmd.Process.Signal(syscall.SIGTERM); err != nil && err != os.ErrProcessDone {
		return err
	}
	return b.wait()
}

// until waits for an event that must come.
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

// until is for what must come while cginit runs.
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

// job is the cgroup of the box's only run, "" before it is made.
func (b *box) job() string {
	found, _ := filepath.Glob(b.dir + "/cginit.jobs*/main.1")
	return strings.Join(found, " ")
}

// holds waits until a process with this command line is in the job and gives its pid.
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

// open makes the box's cgroup; close removes it, with whatever is still there.
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
