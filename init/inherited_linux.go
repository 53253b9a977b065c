package supervisor

import (
	"os"
	"strconv"

	"github.com/cginit/cginit/internal/rawfile"
	"golang.org/x/sys/unix"
)

// inherited holds the open descriptors from 3 on that we pass on to the command.
type inherited struct {
	fds []int
	// listenPid says that LISTEN_PID named us, so it must name the command (sd_listen_fds(3)).
	listenPid bool
}

// find looks for descriptors from 3 on that were open when we were started. It sets close-on-exec
// on all of them.
//
// As process 1 we were started by a container engine. A descriptor that it left open is a leak,
// unless LISTEN_FDS counts it (sd_listen_fds(3)), and the command does not get it. Elsewhere a
// person's shell or program started us and meant the descriptor for the command: <(process
// substitution), flock(1), a job server. Our own descriptors all have close-on-exec already.
func (in *inherited) find() {
	in.listenPid = os.Getenv("LISTEN_PID") == strconv.Itoa(os.Getpid())
	listen := 0
	if in.listenPid {
		listen, _ = strconv.Atoi(os.Getenv("LISTEN_FDS"))
	}
	fds, err := openDescriptors()
	if err != nil {
		// Without /proc no number is known, so all but those of LISTEN_FDS are marked
		// (close_range, since Linux 5.11 with this flag).
		_ = unix.CloseRange(uint(3+listen), ^uint(0), unix.CLOSE_RANGE_CLOEXEC)
		return
	}
	for _, fd := range fds {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		switch {
		case err != nil || flags&unix.FD_CLOEXEC != 0:
		case isProcess1() && fd >= 3+listen:
			unix.CloseOnExec(fd)
		default:
			in.fds = append(in.fds, fd)
			unix.CloseOnExec(fd) // other processes of ours must not hold it; the fork of the command clears it
		}
	}
}

// openDescriptors returns the numbers of our open descriptors from 3 on. One of them is that of the directory
// which tells, and is closed by then.
func openDescriptors() (fds []int, err error) {
	dir, err := rawfile.Open("/proc/self/fd", unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(dir)
	var buf [4096]byte
	for {
		n, err := unix.Getdents(dir, buf[:])
		if n <= 0 || err != nil {
			return fds, err
		}
		_, _, names := unix.ParseDirent(buf[:n], -1, nil)
		for _, name := range names {
			if fd, err := strconv.Atoi(name); err == nil && fd > 2 {
				fds = append(fds, fd)
			}
		}
	}
}

// close closes our copies once the command has them. The command then holds the only copy, so a
// pipe ends when the command closes it.
func (in *inherited) close() {
	for _, fd := range in.fds {
		unix.Close(fd)
	}
	in.fds = nil
}

// isProcess1 tells whether we are process 1 of our PID namespace.
func isProcess1() bool { return os.Getpid() == 1 }
