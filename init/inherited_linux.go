package supervisor

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// inherited are the descriptors from 3 on that are the command's.
type inherited struct {
	fds []int
	// listenPid says that LISTEN_PID names us, and is to name the command (sd_listen_fds(3)).
	listenPid bool
}

// find looks at the descriptors from 3 on that whoever started us left open.
//
// What started a process 1 is a container engine: what it left open is a leak, unless LISTEN_FDS
// counts it (sd_listen_fds(3)), and the command does not get it. What started us elsewhere is a
// person's shell or program, and meant it for the command: <(process substitution), flock(1), a job
// server. Our own descriptors are all close-on-exec.
func (in *inherited) find() {
	in.listenPid = os.Getenv("LISTEN_PID") == strconv.Itoa(os.Getpid())
	listen := 0
	if in.listenPid {
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
		case isProcess1() && fd >= 3+listen:
			unix.CloseOnExec(fd)
		default:
			in.fds = append(in.fds, fd)
			unix.CloseOnExec(fd) // until the command is forked: other processes of ours must not hold it
		}
	}
}

// close closes them here once the command has them: it alone holds them then, and a pipe that it
// closes is closed.
func (in *inherited) close() {
	for _, fd := range in.fds {
		unix.Close(fd)
	}
	in.fds = nil
}

// isProcess1 tells whether we are process 1 of our PID namespace.
func isProcess1() bool { return os.Getpid() == 1 }
