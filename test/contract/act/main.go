// Command act is the program that the jobs of the contract's tests run. It does one thing that a
// program can do to its supervisor, and writes what happens to it into the file $LOG.
//
//	act serve NAME [deaf]      stay until a signal ends it, or SIGKILL if it is deaf
//	act tell TEXT...           send each text to $NOTIFY_SOCKET
//	act await TEXT...          the same, and wait until they are heard (BARRIER=1)
//	act claim PID TEXT         send a text as process PID
//	act as UID ACT...          do another act as a user
//	act flood KIND SECONDS     send made-up messages: those of a forger, or of a fool
//	act master NAME            say READY=1, and at SIGUSR2 start "act serve NAME-new" and name it MAINPID
//	act line FD                write a newline to a descriptor
//	act daemon NAME            leave "act serve NAME" in the background
//	act answer ADDRESS CODE    answer every HTTP request with a status
//	act write BYTES            a line of so many bytes, and nothing after it
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

func main() {
	if len(os.Args) > 3 && os.Args[1] == "as" {
		uid, err := strconv.Atoi(os.Args[2])
		if err != nil || syscall.Setuid(uid) != nil {
			fmt.Fprintln(os.Stderr, "act: cannot become", os.Args[2])
			os.Exit(1)
		}
		os.Args = append(os.Args[:1], os.Args[3:]...)
	}
	acts := map[string]func(args []string) error{
		"serve": serve, "tell": tell, "await": await, "claim": claim, "line": line, "daemon": daemon, "answer": answer, "write": write, "flood": flood, "master": master,
	}
	if len(os.Args) < 3 || acts[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "act: see its source for what it can do")
		os.Exit(2)
	}
	if err := acts[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "act:", err)
		os.Exit(1)
	}
}

// note adds a line to $LOG, in one write, so that the lines of many processes stay whole.
func note(format string, args ...any) error {
	f, err := os.OpenFile(os.Getenv("LOG"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintf(f, format+"\n", args...)
	return err
}

func serve(args []string) error {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGTERM, unix.SIGQUIT, unix.SIGUSR1, unix.SIGHUP)
	if err := note("%s up", args[0]); err != nil {
		return err
	}
	for sig := range signals {
		err := note("%s %s", args[0], unix.SignalName(sig.(syscall.Signal)))
		if err != nil || len(args) == 1 {
			return err
		}
	}
	return nil
}

func tell(args []string) error {
	conn, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, text := range args {
		if _, err := conn.Write([]byte(text)); err != nil {
			return err
		}
	}
	return nil
}

// await sends texts and returns once they are heard: it passes on the end of a pipe, which is closed then.
func await(args []string) error {
	if err := tell(args); err != nil {
		return err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer write.Close()
	if err := tellWith("BARRIER=1", unix.UnixRights(int(write.Fd()))); err != nil {
		return err
	}
	write.Close()
	_, err = io.Copy(io.Discard, read)
	return err
}

func claim(args []string) error {
	pid, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	return tellWith(args[1], unix.UnixCredentials(&unix.Ucred{Pid: int32(pid)}))
}

// tellWith sends a text with a control message.
func tellWith(text string, control []byte) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	return unix.Sendmsg(fd, []byte(text), control, &unix.SockaddrUnix{Name: os.Getenv("NOTIFY_SOCKET")}, 0)
}

func line(args []string) error {
	fd, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	_, err = unix.Write(fd, []byte("\n"))
	return err
}

// daemon starts "act serve NAME" as a daemon and does not wait for it.
func daemon(args []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "serve", args[0])
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd.Start()
}

func answer(args []string) error {
	listener, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	if err := note("answer up"); err != nil {
		return err
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		request, _, _ := bufio.NewReader(conn).ReadLine()
		if len(request) > 0 && note("%s", request) == nil {
			fmt.Fprintf(conn, "HTTP/1.0 %s there\r\n\r\n", args[1])
		}
		conn.Close()
	}
}

func write(args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(bytes.Repeat([]byte("x"), n))
	return err
}
