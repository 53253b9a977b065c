package supervisor

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/internal/rawfile"
	"golang.org/x/sys/unix"
)

// notifyMost bounds a message of sd_notify(3), in bytes. The rest of a longer one is lost.
const notifyMost = 4096

// notifier is the NOTIFY_SOCKET of a job and of its steps. Any process that knows its name could send to it,
// so the sender is checked to be a process of the job.
type notifier struct {
	name    string // a path, or that of an abstract socket, which begins with @
	file    *os.File
	status  string // the last STATUS= of the present run
	refused int    // messages that were not believed
	ignored int    // processes that could not become the main process

	text [notifyMost]byte // the message that was read last
	oob  [64 + 4*64]byte  // its sender and the first of its descriptors
}

// sender is who sent a message: the kernel says so (SCM_CREDENTIALS, unix(7)). Only who has
// CAP_SYS_ADMIN can name another pid than its own.
type sender struct {
	pid int
	uid uint32
}

// listen makes the socket of a job.
func (d *notifyDir) listen() (*notifier, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot make a notify socket: %w", err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PASSCRED, 1); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("cannot make a notify socket: %w", err)
	}
	name, err := d.bind(fd)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("cannot bind a notify socket: %w", err)
	}
	return &notifier{name: name, file: os.NewFile(uintptr(fd), name)}, nil
}

// env returns the variables that tell a run of the job about the socket and the watchdog.
func (n *notifier) env(spec *config.Spec) []string {
	env := []string{"NOTIFY_SOCKET=" + n.name}
	if spec.Watchdog > 0 {
		env = append(env, "WATCHDOG_USEC="+strconv.FormatInt(spec.Watchdog.Microseconds(), 10))
	}
	return env
}

// watch runs in a goroutine: whenever messages wait, it has the loop call heard, until the socket is
// closed. It does not read them: so the loop can, before it handles the end of their sender.
func (n *notifier) watch(post func(message), heard func()) {
	conn, err := n.file.SyscallConn()
	if err != nil {
		return
	}
	done := make(chan struct{}, 1)
	for conn.Read(rawfile.IsReadable) == nil {
		post(func() {
			heard()
			done <- struct{}{}
		})
		<-done
	}
}

// next takes the next message and calls heard with it; false if none waits. Descriptors that came
// with it are closed once it was heard: BARRIER=1 (sd_notify_barrier(3)) lets the sender wait for
// that, so it still lives when the loop looks where it belongs. Of a message that is too long,
// the last line is lost.
func (n *notifier) next(heard func(from sender, text string)) bool {
	conn, err := n.file.SyscallConn()
	if err != nil {
		return false
	}
	var length, oobn, flags int
	failure := error(unix.EINTR)
	err = conn.Control(func(fd uintptr) {
		for failure == unix.EINTR {
			length, oobn, flags, _, failure = unix.Recvmsg(int(fd), n.text[:], n.oob[:], unix.MSG_CMSG_CLOEXEC)
		}
	})
	if err != nil || failure != nil {
		return false
	}
	from, fds := readControl(n.oob[:oobn])
	text := string(n.text[:length])
	if flags&unix.MSG_TRUNC != 0 {
		text = text[:strings.LastIndexByte(text, '\n')+1]
	}
	heard(from, text)
	for _, fd := range fds {
		unix.Close(fd)
	}
	return true
}

// readControl returns a datagram's sender, with pid 0 if it is unknown, and the descriptors that
// came with it.
func readControl(oob []byte) (from sender, fds []int) {
	messages, _ := unix.ParseSocketControlMessage(oob)
	for _, m := range messages {
		if cred, err := unix.ParseUnixCredentials(&m); err == nil {
			from = sender{int(cred.Pid), cred.Uid}
		}
		if more, err := unix.ParseUnixRights(&m); err == nil {
			fds = append(fds, more...)
		}
	}
	return from, fds
}

// notifyManager sends a message of sd_notify(3) to the manager that started us. It does nothing if
// NOTIFY_SOCKET is not set.
func notifyManager(text string) error {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" {
		return nil
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Sendto(fd, []byte(text), unix.MSG_NOSIGNAL, &unix.SockaddrUnix{Name: name})
}
