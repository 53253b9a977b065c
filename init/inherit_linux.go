package supervisor

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// findInherited looks at the descriptors from 3 on that whoever started us left open.
//
// What started a process 1 is a container engine: what it left open is a leak, unless
// LISTEN_FDS counts it (sd_listen_fds(3)), and the command does not get it. What started us
// elsewhere is a person's shell or program, and meant it for the command: <(process
// substitution), flock(1), a job server. Our own are all close-on-exec.
func (s *Supervisor) findInherited() {
	s.listenPid = os.Getenv("LISTEN_PID") == strconv.Itoa(os.Getpid())
	listen := 0
	if s.listenPid {
		listen, _ = strconv.Atoi(os.Getenv("LISTEN_FDS"))
	}
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		// No /proc: close all but what is counted (close_range, since Linux 5.11 with this flag).
		_ = unix.CloseRange(uint(3+listen), ^uint(0), unix.CLOSE_RANGE_CLOEXEC)
		return
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		fd, err := strconv.Atoi(name)
		if err != nil || fd < 3 {
			continue
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		switch {
		case err != nil || flags&unix.FD_CLOEXEC != 0:
		case s.pid1 && fd >= 3+listen:
			unix.CloseOnExec(fd)
		default:
			s.inherited = append(s.inherited, fd)
			unix.CloseOnExec(fd) // until the command is forked: other processes of ours must not hold it
		}
	}
}

// passInherited lets the next fork inherit them, and returns what ends that.
func (s *Supervisor) passInherited() (restore func()) {
	for _, fd := range s.inherited {
		_, _ = unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0)
	}
	return func() {
		for _, fd := range s.inherited {
			unix.CloseOnExec(fd)
		}
	}
}

// closeInherited closes them here once the command has them: it alone holds them then, and a
// pipe that it closes is closed.
func (s *Supervisor) closeInherited() {
	for _, fd := range s.inherited {
		unix.Close(fd)
	}
	s.inherited = nil
}

// withoutListenPid leaves out what the exec helper sets to the command's own pid.
func withoutListenPid(env []string) []string {
	var rest []string
	for _, kv := range env {
		if !strings.HasPrefix(kv, "LISTEN_PID=") {
			rest = append(rest, kv)
		}
	}
	return rest
}
