package supervisor

import (
	"encoding/hex"
	"fmt"
	"os"
	"strconv"

	"github.com/cginit/cginit/init/config"
	"golang.org/x/sys/unix"
)

// notifyMost bounds a message of sd_notify(3), in bytes. The rest of a longer one is lost.
const notifyMost = 4096

// notifier is the NOTIFY_SOCKET of a job. It is an abstract socket (unix(7)): it needs no writable
// directory, and it goes away with us. Any process in our network namespace could send to it, so
// the sender is checked to be a process of the job.
type notifier struct {
	name    string
	file    *os.File
	status  string // the last STATUS= of the present run
	refused int    // messages that were not believed
}

// sender is who sent a message: the kernel says so (SCM_CREDENTIALS, unix(7)). Only who has
// CAP_SYS_ADMIN can name another pid than its own.
type sender struct {
	pid int
	uid uint32
}

// listenNotify makes the socket of a job and starts the goroutine that reads it. For each message
// the loop calls heard with the sender and the text.
func listenNotify(job string, post func(message), heard func(from sender, text string)) (*notifier, error) {
	var random [8]byte
	if _, err := unix.Getrandom(random[:], 0); err != nil {
		return nil, fmt.Errorf("cannot name a notify socket: %w", err)
	}
	n := &notifier{name: "@cginit/" + hex.EncodeToString(random[:]) + "/" + job}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot make a notify socket: %w", err)
	}
	n.file = os.NewFile(uintptr(fd), n.name)
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PASSCRED, 1); err != nil {
		return nil, fmt.Errorf("cannot make a notify socket: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: n.name}); err != nil {
		return nil, fmt.Errorf("cannot bind a notify socket: %w", err)
	}
	go hearNotify(n.file, post, heard)
	return n, nil
}

// env returns the variables that tell the job about the socket and the watchdog.
func (n *notifier) env(spec *config.Spec) []string {
	env := []string{"NOTIFY_SOCKET=" + n.name}
	if spec.Watchdog > 0 {
		env = append(env, "WATCHDOG_USEC="+strconv.FormatInt(spec.Watchdog.Microseconds(), 10))
	}
	return env
}

// hearNotify posts each datagram to the loop until the socket is closed. Descriptors that came with
// it are closed once it was heard: BARRIER=1 (sd_notify_barrier(3)) lets the sender wait for that,
// so it still lives when the loop looks where it belongs.
func hearNotify(socket *os.File, post func(message), heard func(from sender, text string)) {
	conn, err := socket.SyscallConn()
	if err != nil {
		return
	}
	for {
		buf, oob := make([]byte, notifyMost), make([]byte, unix.CmsgSpace(unix.SizeofUcred)+unix.CmsgSpace(4*64))
		var n, oobn int
		var failure error
		err := conn.Read(func(fd uintptr) bool {
			n, oobn, _, _, failure = unix.Recvmsg(int(fd), buf, oob, unix.MSG_CMSG_CLOEXEC)
			return failure != unix.EAGAIN && failure != unix.EINTR
		})
		if err != nil || failure != nil {
			return // the socket was closed because the job was dropped
		}
		from, fds := readControl(oob[:oobn])
		post(func() {
			heard(from, string(buf[:n]))
			for _, fd := range fds {
				unix.Close(fd)
			}
		})
	}
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
