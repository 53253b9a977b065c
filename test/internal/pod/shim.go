package pod

import (
	"encoding/json"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// The descriptors that the shim inherits.
const shimCgroup, shimWords = 3, 4

// word is one message from the shim to the test, a JSON object.
type word struct {
	Pid    int                // of cginit
	Exited bool               // cginit has ended
	Status syscall.WaitStatus // if Exited
	Left   string             // a process that cginit has left to the shim
}

// shim is the parent of a cginit that is not process 1, and a subreaper. Every process that outlives
// cginit becomes its child, so wait4 itself says what was left. It returns when no child is left.
func (s stage) shim() error {
	if err := s.shareCPU(); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return err
	}
	if err := os.Chdir(s.Dir); err != nil {
		return err
	}
	if s.NoSubreaper {
		runtime.LockOSThread() // the filter is this thread's, which forks
		if err := refuseSubreapers(); err != nil {
			return err
		}
	}
	unix.CloseOnExec(shimCgroup)
	unix.CloseOnExec(shimWords)
	sys := &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: shimCgroup}
	if s.UID != 0 {
		sys.Credential = &syscall.Credential{Uid: uint32(s.UID), Gid: uint32(s.UID)}
	}
	pid, err := syscall.ForkExec(s.Args[0], s.Args, &syscall.ProcAttr{Env: s.Env, Files: []uintptr{0, 1, 2}, Sys: sys})
	if err != nil {
		return err
	}
	os.Stdin.Close() // only cginit may hold the input open
	words := json.NewEncoder(os.NewFile(shimWords, "words"))
	if err := words.Encode(word{Pid: pid}); err != nil {
		return err
	}
	var status syscall.WaitStatus
	whom := pid
	if s.NoSubreaper { // the orphans of jobs come to the shim, as to any process 1
		whom = -1
	}
	for got := 0; got != pid; {
		got, _ = syscall.Wait4(whom, &status, 0, nil)
	}
	for s.NoSubreaper {
		if got, _ := syscall.Wait4(-1, nil, unix.WNOHANG, nil); got <= 0 {
			break
		}
	}
	if err := words.Encode(word{Exited: true, Status: status}); err != nil {
		return err
	}
	return reportLeft(words)
}

// reportLeft names each child that exists now, and returns when there are none any more.
func reportLeft(words *json.Encoder) error {
	if unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil) == unix.ECHILD {
		return nil
	}
	for _, pid := range children(os.Getpid()) {
		if err := words.Encode(word{Left: describe(pid)}); err != nil {
			return err
		}
	}
	for {
		if _, err := syscall.Wait4(-1, nil, 0, nil); err == syscall.ECHILD {
			return nil
		}
	}
}
