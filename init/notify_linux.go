package supervisor

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/cginit/cginit/init/config"
	"golang.org/x/sys/unix"
)

// notifyMost bounds a message of sd_notify(3), in bytes.
const notifyMost = 4096

// notifier is a job's NOTIFY_SOCKET. It is an abstract one (unix(7)): it needs no place to
// write, and goes away with us. Whoever is in our network namespace could send to it, so the
// sender must be a process of the job's.
type notifier struct {
	name   string
	file   *os.File
	status string // STATUS= of the present run
}

// listenNotify makes the socket of a job and the goroutine that reads it.
func (s *Supervisor) listenNotify(j *job) (*notifier, error) {
	var random [8]byte
	if _, err := unix.Getrandom(random[:], 0); err != nil {
		return nil, fmt.Errorf("cannot name a notify socket: %w", err)
	}
	n := &notifier{name: "@cginit/" + hex.EncodeToString(random[:]) + "/" + j.spec.Name}
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
	go s.hearNotify(j, n.file)
	return n, nil
}

// env is what tells the job of it.
func (n *notifier) env(spec *config.Spec) []string {
	env := []string{"NOTIFY_SOCKET=" + n.name}
	if spec.Watchdog > 0 {
		env = append(env, "WATCHDOG_USEC="+strconv.FormatInt(spec.Watchdog.Microseconds(), 10))
	}
	return env
}

// hearNotify turns datagrams into messages.
func (s *Supervisor) hearNotify(j *job, socket *os.File) {
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
			return // closed: the job is gone
		}
		pid := senderOf(oob[:oobn])
		s.post(func() { s.notified(j, pid, string(buf[:n])) })
	}
}

// senderOf reads who sent a datagram, and closes what else came with it.
func senderOf(oob []byte) (pid int) {
	messages, _ := unix.ParseSocketControlMessage(oob)
	for _, m := range messages {
		if cred, err := unix.ParseUnixCredentials(&m); err == nil {
			pid = int(cred.Pid)
		}
		if fds, err := unix.ParseUnixRights(&m); err == nil {
			for _, fd := range fds {
				unix.Close(fd)
			}
		}
	}
	return pid
}

// notified handles what a job says of itself.
func (s *Supervisor) notified(j *job, pid int, text string) {
	r := j.run
	if r == nil || !r.owns(pid) {
		s.complain("take a notification", fmt.Errorf("process %d, which is not one of %s, sent one in its name", pid, j.spec.Name))
		return
	}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		switch key {
		case "READY":
			if value == "1" {
				s.later(j, jvReady)
			}
		case "STATUS":
			j.notify.status = value
			s.tellState(j)
		case "WATCHDOG":
			s.watchdogSeen(j, value)
		case "EXTEND_TIMEOUT_USEC":
			s.extend(j, value)
		case "STOPPING": // it ends by itself: whoever waits for it should know
			s.tellState(j)
		}
	}
}

// watchdogSeen puts off the watchdog, or barks for the job itself.
func (s *Supervisor) watchdogSeen(j *job, value string) {
	switch {
	case j.state != jobUp || j.spec.Watchdog == 0:
	case value == "1":
		j.deadline = s.now().Add(j.spec.Watchdog)
	case value == "trigger":
		j.bad = "it triggered its own watchdog"
		s.later(j, jvBad)
	}
}

// extend gives a job that is starting or stopping time until so long from now, never less than
// it has anyway.
func (s *Supervisor) extend(j *job, value string) {
	usec, err := strconv.ParseUint(value, 10, 63)
	if err != nil {
		return
	}
	until := s.now().Add(time.Duration(min(usec, uint64(24*time.Hour/time.Microsecond))) * time.Microsecond)
	switch {
	case j.state == jobStarting && !j.deadline.IsZero():
		j.deadline = later(j.deadline, until)
	case j.state == jobStopping && (j.run.state == stopping || j.run.state == leaving):
		j.run.deadline = later(j.run.deadline, until)
	}
}

// owns tells whether a process is one of the run's. One that has ended since cannot be told
// any more: it knew the name of the socket, so it is believed.
func (r *run) owns(pid int) bool {
	if r.containment == nil || pid == 0 {
		return false
	}
	c, ok := r.containment.(*cgroupRun)
	if !ok {
		return r.descends(pid)
	}
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	if err != nil {
		return true
	}
	place := filepath.Join(filepath.Base(filepath.Dir(string(c.dir))), filepath.Base(string(c.dir)))
	for line := range strings.Lines(string(text)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			return strings.Contains(path+"/", "/"+place+"/")
		}
	}
	return false
}

// descends tells whether a process descends from the run's holder, where no cgroup says whose
// it is. Who has lost its parent meanwhile has another, so it is looked at again.
func (r *run) descends(pid int) bool {
	const looks = 3
	for range looks {
		p, err := readProcess(pid)
		if err != nil {
			return true // it has ended since
		}
		for err == nil && p.ppid > 1 {
			if p.pid == r.main.pid || p.ppid == r.adopter() && r.adopter() != os.Getpid() {
				return true
			}
			p, err = readProcess(p.ppid)
		}
		if err == nil {
			return false
		}
	}
	return false
}

// sayUp and sayStopping tell whoever started us (sd_notify(3)).
func (s *Supervisor) tellManager(text string) {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" || s.single != nil {
		return
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		s.complain("notify", err)
		return
	}
	defer unix.Close(fd)
	s.complain("notify", unix.Sendto(fd, []byte(text), unix.MSG_NOSIGNAL, &unix.SockaddrUnix{Name: name}))
}
