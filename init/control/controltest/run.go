package controltest

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// autoUID is the uid of a run with auto_user. Unlike a real supervisor, the loop does not look whether
// another process has it.
const autoUID = 61000

// spawn starts a run.
func (l *loop) spawn(c *control.Call, p *control.RunParams) {
	name := cmp.Or(p.Name, fmt.Sprintf("run-%d", l.seq+1))
	if l.find(name) != nil && l.find(name).State != control.Ended {
		c.Fail(control.AlreadyExists{Job: name})
		return
	}
	now := time.Now()
	j := &job{
		Job: control.Job{
			Name: name, Kind: control.KindRun, Run: 1, Command: p.Process.Args, Started: &now,
			Leased: !p.Detach, Containment: "tree",
		},
		call: c, ask: p,
	}
	l.jobs = append(l.jobs, j)
	path, err := lookPath(p.Process.Args[0], p.Process.Env)
	if err == nil {
		j.process, err = start(path, c.Files, p)
	}
	c.CloseFiles()
	if err != nil {
		l.failed(j, err)
		return
	}
	j.Pid = j.process.Pid
	command := strings.Join(p.Process.Args, " ")
	j.Processes = []control.Process{{Pid: j.Pid, PPid: os.Getpid(), Command: command, State: "R"}}
	l.enter(j, control.Running)
	started := control.RunReply{State: control.Running, Job: name, Run: 1, Pid: j.Pid}
	if p.Detach {
		c.Reply(started)
	} else {
		c.Continue(started)
		j.lease = c.Conn
	}
	if p.Timeout > 0 {
		j.timer = time.AfterFunc(time.Duration(p.Timeout)*time.Millisecond, func() {
			l.do(func() { l.end(j, "timed-out", syscall.SIGTERM) })
		})
	}
	process := j.process
	go func() {
		state, err := process.Wait()
		l.do(func() {
			if err == nil {
				j.process = nil
				l.exited(j, state.Sys().(syscall.WaitStatus))
			}
		})
	}()
}

// start executes the command of a run. Without descriptors its stdin, stdout and stderr are /dev/null.
func start(path string, files []int, p *control.RunParams) (*os.Process, error) {
	fds := make([]uintptr, 0, 3)
	for _, fd := range files {
		fds = append(fds, uintptr(fd))
	}
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	for len(fds) < 3 {
		if len(files) == 1 {
			fds = append(fds, fds[0])
		} else {
			fds = append(fds, null.Fd())
		}
	}
	sys := &syscall.SysProcAttr{Setsid: true, Setctty: p.Process.Terminal}
	if p.AutoUser {
		p.Process.User = &specs.User{UID: autoUID, GID: autoUID}
	}
	if u := p.Process.User; u != nil {
		sys.Credential = &syscall.Credential{Uid: u.UID, Gid: u.GID, Groups: u.AdditionalGids}
	}
	pid, err := syscall.ForkExec(path, p.Process.Args, &syscall.ProcAttr{
		Dir: cmp.Or(p.Process.Cwd, "/"), Env: p.Process.Env, Files: fds, Sys: sys,
	})
	if err != nil {
		return nil, err
	}
	return os.FindProcess(pid)
}

// lookPath searches the PATH in env for a program.
func lookPath(name string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, kv := range env {
		if value, ok := strings.CutPrefix(kv, "PATH="); ok {
			for _, dir := range filepath.SplitList(value) {
				if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
					return filepath.Join(dir, name), nil
				}
			}
		}
	}
	return "", fmt.Errorf("cannot execute %s: %w in PATH", name, syscall.ENOENT)
}

// end signals the process group of a run: with SIGKILL if sig is 0.
func (l *loop) end(j *job, cause string, sig syscall.Signal) {
	if j.process == nil {
		return
	}
	j.cause = cmp.Or(j.cause, cause)
	l.enter(j, control.Stopping)
	if cause == "killed" || sig == 0 {
		sig = syscall.SIGKILL
	}
	_ = syscall.Kill(-j.process.Pid, sig)
}

// failed ends a run whose command could not be executed.
func (l *loop) failed(j *job, err error) {
	status := 126
	if errors.Is(err, syscall.ENOENT) {
		status = 127
	}
	l.finish(j, "start-failed", status, err.Error())
}

// exited ends a run whose process has ended.
func (l *loop) exited(j *job, ws syscall.WaitStatus) {
	status := ws.ExitStatus()
	if ws.Signaled() {
		status = 128 + int(ws.Signal())
	}
	if j.cause == "timed-out" {
		status = 124
	}
	l.ended(j, cmp.Or(j.cause, "exited"), status)
}

// ended ends a job.
func (l *loop) ended(j *job, cause string, status int) { l.finish(j, cause, status, "") }

// finish writes the receipt of a run and answers its call.
func (l *loop) finish(j *job, cause string, status int, problem string) {
	if j.timer != nil {
		j.timer.Stop()
	}
	now := time.Now()
	j.Ended, j.ExitStatus, j.Processes = &now, &status, nil
	if j.Started == nil {
		j.Started = &now
	}
	j.receipt = &control.Receipt{
		Job: j.Name, Run: j.Run, Cause: cause, Error: problem, Command: j.Command, Pid: j.Pid,
		Started: *j.Started, Ended: now, ExitStatus: status, Containment: "tree", Guarantee: "none: it is a test",
	}
	l.enter(j, control.Ended)
	l.emit(control.Event{Kind: control.EventReceipt, Job: j.Name, Run: j.Run, Receipt: j.receipt})
	if j.call == nil {
		return
	}
	last := control.RunReply{
		State: control.Ended, Job: j.Name, Run: j.Run, Pid: j.Pid, ExitStatus: &status, Error: problem,
	}
	if j.ask.Report {
		last.Receipt = j.receipt
	}
	j.call.Reply(last)
}
