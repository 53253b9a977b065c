package supervisor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/cginit/cginit/cgroup"
	"golang.org/x/sys/unix"
)

// selfExe is our own binary, for the processes of ours that are it once more.
const selfExe = "/proc/self/exe"

// execError says that a command cannot be executed, and so whose fault it is.
type execError struct {
	path string
	err  error
}

func (e *execError) Error() string {
	hint := ""
	switch {
	case errors.Is(e.err, unix.ENOENT) && strings.Contains(e.path, "/") && exists(e.path):
		hint = " (the file is there: the interpreter of its first line, or its dynamic loader, is not)"
	case errors.Is(e.err, unix.ENOEXEC):
		hint = " (not a program for this machine)"
	}
	return fmt.Sprintf("cannot execute %s: %v%s", e.path, e.err, hint)
}

func (e *execError) Unwrap() error { return e.err }

// startStatus is the exit status for a command that could not be started.
func startStatus(err error) int {
	var exec *execError
	switch {
	case !errors.As(err, &exec):
		return StatusFailed
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return StatusNotFound
	}
	return StatusNotExecutable
}

// isBusy tells whether a fork or exec that failed so may go well a little later.
func isBusy(err error) bool {
	return errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.ENOMEM) || errors.Is(err, unix.ETXTBSY) ||
		errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ENOBUFS) ||
		errors.Is(err, errHolderEnded) || errors.Is(err, unix.EPIPE) // it could not even be told what to start
}

// defaultPath is for a command whose environment has no PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// LookPath finds a command in the PATH of an environment, as the start of a job does.
func LookPath(name string, env []string) (string, error) { return lookPath(name, env) }

// lookPath finds a command as execvp(3) does, in the PATH of env: the command's, not ours.
func lookPath(name string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		return name, executable(name)
	}
	path := defaultPath
	for _, kv := range env {
		if value, ok := strings.CutPrefix(kv, "PATH="); ok {
			path = value
		}
	}
	var found error = &execError{name, fmt.Errorf("%w in PATH %q", unix.ENOENT, path)}
	for _, dir := range filepath.SplitList(path) {
		file := filepath.Join(dir, name)
		err := executable(file)
		if err == nil {
			return file, nil
		}
		if errors.Is(err, unix.EACCES) && !isDir(file) {
			found = err // one that may not be executed is only the answer if there is no other
		}
	}
	return "", found
}

func executable(file string) error {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return &execError{file, errors.Unwrap(err)}
	case info.IsDir():
		return &execError{file, fmt.Errorf("%w: it is a directory", unix.EACCES)}
	case info.Mode()&0o111 == 0:
		return &execError{file, fmt.Errorf("%w: it is not marked executable", unix.EACCES)}
	}
	return nil
}

func exists(file string) bool { _, err := os.Stat(file); return err == nil }

func isDir(file string) bool { info, err := os.Stat(file); return err == nil && info.IsDir() }

// spawn starts the main process of a run, born in its containment. Where something must happen
// between fork and exec that Go cannot do there, the exec helper does it.
func (s *Supervisor) spawn(r *run) error {
	path, err := s.findProgram(r)
	if err != nil {
		return err
	}
	io, err := s.connect(r)
	if err != nil {
		return err
	}
	defer io.close()
	t := s.terminal
	shares := t != nil && t.shared && !r.spec.Group && r.job == s.single
	leads := r.spec.NewSession || io.tty >= 0
	place := syscall.SysProcAttr{Setpgid: !shares && !leads, Setsid: leads}
	io.sharesGroup, r.program = shares, path
	c, inCgroup := r.containment.(*cgroupRun)
	if s.terminalFor(r, io) >= 0 || inCgroup && !s.canClone(r, c) || s.listenPid || io.ready != nil || r.spec.NeedsHelper() {
		return s.spawnByHelper(r, path, io, &place)
	}
	sys := place
	if inCgroup {
		dir, err := os.OpenFile(string(c.dir), unix.O_PATH|unix.O_DIRECTORY, 0)
		if err != nil {
			return err
		}
		defer dir.Close()
		sys.UseCgroupFD, sys.CgroupFD = true, int(dir.Fd())
	}
	if u := r.spec.User; u != nil {
		sys.Credential = &syscall.Credential{Uid: u.UID, Gid: u.GID, Groups: u.Groups}
	}
	if t, ok := r.containment.(*tree); ok {
		return s.spawnInTree(r, t, path, r.spec.Args, io, &place)
	}
	err = s.fork(r, path, r.spec.Args, io, &sys)
	if errors.Is(err, unix.ENOEXEC) { // a script without a first line is the shell's: execvp(3)
		err = s.fork(r, "/bin/sh", append([]string{"sh", path}, r.spec.Args[1:]...), io, &sys)
	}
	switch {
	case err == nil:
		return nil
	case inCgroup && (errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSYS)):
		// Whether the clone or the exec was refused cannot be told; the helper tells.
		return s.spawnByHelper(r, path, io, &place)
	case isBusy(err):
		return fmt.Errorf("cannot start %s: %w", path, err)
	case errors.Is(err, unix.EPERM) && r.spec.User != nil:
		return fmt.Errorf("cannot run %s as uid %d: %w (cginit needs CAP_SETUID and CAP_SETGID for that)", path, r.spec.User.UID, err)
	}
	return &execError{path, err}
}

// canClone tells whether a process can be born in the cgroup. Into one that stands still none
// may be: it would, before its exec, and with it Go's whole runtime. What runs inside a job's
// cgroup, which whoever has the right can freeze at any moment, is brought there by the helper.
func (s *Supervisor) canClone(r *run, c *cgroupRun) bool {
	return c.clones && r.owner == nil && !s.home.jobs.Freezing()
}

// findProgram finds what a run executes. A name with a slash is relative to its own directory.
func (s *Supervisor) findProgram(r *run) (string, error) {
	if r.exe != "" {
		return r.exe, nil
	}
	dir, name := r.spec.Dir, r.spec.Args[0]
	if dir != "" {
		if info, err := os.Stat(dir); err != nil {
			return "", fmt.Errorf("cannot run in %s: %w", dir, errors.Unwrap(err))
		} else if !info.IsDir() {
			return "", fmt.Errorf("cannot run in %s: it is not a directory", dir)
		}
		if strings.Contains(name, "/") && !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
	}
	return lookPath(name, r.spec.Env)
}

// terminalFor is the terminal that the main process takes as its own; -1: none.
func (s *Supervisor) terminalFor(r *run, io *stdio) int {
	switch {
	case io.tty >= 0:
		return io.tty
	case r.job == s.single && s.terminal != nil && (s.terminal.given || r.spec.NewSession):
		return int(s.terminal.file.Fd())
	}
	return -1
}

// fork is the one place where a process of a job is made.
func (s *Supervisor) fork(r *run, path string, args []string, io *stdio, sys *syscall.SysProcAttr) error {
	defer s.passInherited()()
	defer raiseOOMScore(s.home.oomMore)()
	pid, err := syscall.ForkExec(path, args, &syscall.ProcAttr{
		Dir: r.spec.Dir, Env: io.env, Files: io.files(), Sys: sys,
	})
	if err != nil {
		return err
	}
	session := s.session
	if sys.Setsid {
		session = pid
	}
	r.main = process{pid: pid, ppid: os.Getpid(), session: session}
	return nil
}

// raiseOOMScore raises our oom_score_adj, which a child inherits, and returns what puts it
// back. Raising needs no privilege, and putting back what it was neither. The child has it
// from birth, so nothing that it forks can be without.
func raiseOOMScore(by int) (restore func()) {
	const file = "/proc/self/oom_score_adj"
	var buf [16]byte
	data, err := readFile(file, buf[:])
	if err != nil {
		return func() {}
	}
	ours, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return func() {}
	}
	write := func(n int) { writeFile(file, strconv.AppendInt(nil, int64(n), 10)) } // what fails leaves it equal
	write(min(ours+by, 1000))
	return func() { write(ours) }
}

// probeClone tells whether a process can be born in a cgroup below dir (CLONE_INTO_CGROUP,
// Linux 5.7). The default seccomp profiles of Docker and containerd answer ENOSYS to clone3
// without CAP_SYS_ADMIN, and Linux 6.14 to 7.2 kill such a child at birth where our own cgroup
// was ever killed. The child here is to fail at its exec: anything else is a no.
func probeClone(dir cgroup.Dir) bool {
	fd, err := open(string(dir), unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	pid, err := syscall.ForkExec("/proc/self/nothing", nil, &syscall.ProcAttr{
		Sys: &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: fd},
	})
	if err == nil { // killed at birth: nothing was executed, yet it has to be reaped
		_, _ = syscall.Wait4(pid, nil, 0, nil)
	}
	return err == unix.ENOENT
}
