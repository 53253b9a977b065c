package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cginit/cginit/init/control"
	"golang.org/x/sys/unix"
)

// ctl returns a command that runs cginitctl with the supervisor at socket.
func ctl(t *testing.T, socket string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := exec.LookPath("cginitctl") // testscript.Main put it there
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), "CGINIT_SOCKET="+socket)
	cmd.Stderr = os.Stderr
	return cmd
}

// client returns a client of the supervisor at socket.
func client(t *testing.T, socket string) *control.Client {
	t.Helper()
	c, err := control.Dial(t.Context(), socket, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// receiptOf waits for the end of a job, and returns its receipt.
func receiptOf(t *testing.T, socket, job string) *control.Receipt {
	t.Helper()
	c := client(t, socket)
	if _, err := c.Wait(t.Context(), control.WaitParams{Jobs: []string{job}, Until: control.UntilEnded}); err != nil {
		t.Fatal(err)
	}
	r, err := c.Status(t.Context(), control.StatusParams{Job: job})
	if err != nil {
		t.Fatal(err)
	}
	return r.Receipt
}

// begin starts cmd, whose command first prints "there", and returns the rest of its output.
func begin(t *testing.T, cmd *exec.Cmd) (out *bufio.Reader) {
	t.Helper()
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out = bufio.NewReader(pipe)
	if line, err := out.ReadString('\n'); line != "there\n" {
		t.Fatalf("the output begins with %q, %v", line, err)
	}
	return out
}

// TestTheRunEndsWithItsClient kills cginitctl, and checks that the run ends.
func TestTheRunEndsWithItsClient(t *testing.T) {
	socket := socketFor(t)
	cmd := ctl(t, socket, "run", "--name", "orphan", "--", "sh", "-c", "echo there; exec sleep 1000")
	begin(t, cmd)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if r := receiptOf(t, socket, "orphan"); r.Cause != "lease-ended" {
		t.Errorf("the receipt of the run: %+v", r)
	}
}

// TestSignalsReachTheCommand sends signals that the command catches to cginitctl.
func TestSignalsReachTheCommand(t *testing.T) {
	// Under nohup SIGHUP is ignored by all children, and a shell cannot trap an ignored signal.
	signal.Notify(make(chan os.Signal, 1), unix.SIGHUP)
	for _, sig := range []syscall.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGUSR1} {
		cmd := ctl(t, socketFor(t), "run", "--", "sh", "-c",
			"trap 'exit 9' INT TERM HUP USR1; echo there; while :; do sleep 0.01; done")
		begin(t, cmd)
		_ = cmd.Process.Signal(sig)
		_ = cmd.Wait()
		if status := cmd.ProcessState.ExitCode(); status != 9 {
			t.Errorf("after %s the status is %d", unix.SignalName(sig), status)
		}
	}
}

// TestTheSecondRequestEndsTheLease sends SIGINT twice to a command that survives the first.
func TestTheSecondRequestEndsTheLease(t *testing.T) {
	socket := socketFor(t)
	cmd := ctl(t, socket, "run", "--name", "deaf", "--", "sh", "-c",
		"trap 'echo heard' INT; echo there; while :; do sleep 0.01; done")
	out := begin(t, cmd)
	_ = cmd.Process.Signal(unix.SIGINT)
	if line, err := out.ReadString('\n'); line != "heard\n" {
		t.Fatalf("after the first SIGINT the output is %q, %v", line, err)
	}
	_ = cmd.Process.Signal(unix.SIGINT)
	_ = cmd.Wait()
	if r := receiptOf(t, socket, "deaf"); r.Cause != "lease-ended" || cmd.ProcessState.ExitCode() != r.ExitStatus {
		t.Errorf("the status is %d, the receipt %+v", cmd.ProcessState.ExitCode(), r)
	}
}

// TestPipesEnd checks that the reader of the output sees its end when the command closes it, although
// cginitctl still runs.
func TestPipesEnd(t *testing.T) {
	cmd := ctl(t, socketFor(t), "run", "--", "sh", "-c", "echo there; exec >&- 2>&-; read word")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out := begin(t, cmd)
	if rest, err := io.ReadAll(out); len(rest) > 0 || err != nil {
		t.Errorf("after the command has closed it, the output has %q, %v", rest, err)
	}
	stdin.Close()
	_ = cmd.Wait()
}

// session is a terminal with cginitctl in it, as a person has it.
type session struct {
	*testing.T
	master *os.File
	seen   bytes.Buffer
	cmd    *exec.Cmd
}

func newSession(t *testing.T, args ...string) *session {
	t.Helper()
	pair, err := openTerminal(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &session{T: t, master: pair.master, cmd: ctl(t, socketFor(t), args...)}
	s.resize(30, 100)
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = pair.slave, pair.slave, pair.slave
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pair.slave.Close()
	return s
}

func (s *session) resize(rows, columns uint16) {
	_ = unix.IoctlSetWinsize(int(s.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns})
}

func (s *session) typed(keys string) { _, _ = s.master.WriteString(keys) }

// expect reads until the output has the wanted text, and drops everything up to its end.
func (s *session) expect(want string) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 2*time.Minute)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		s.Logf("there is no %q in the output, which is %.500q", want, s.seen.String())
		_ = s.cmd.Process.Kill()
	})()
	for {
		if _, after, ok := strings.Cut(s.seen.String(), want); ok {
			s.seen.Reset()
			s.seen.WriteString(after)
			return
		}
		var b [1024]byte
		n, err := s.master.Read(b[:])
		if err != nil {
			s.Fatalf("there is no %q in the output, which is %.500q: %v", want, s.seen.String(), err)
		}
		s.seen.Write(b[:n])
	}
}

// ended reads the output to its end, and returns the exit status.
func (s *session) ended() int {
	s.Helper()
	defer time.AfterFunc(2*time.Minute, func() {
		s.Errorf("cginitctl does not end; the output is %.500q", s.seen.String())
		_ = s.cmd.Process.Kill()
	}).Stop()
	_, _ = io.Copy(&s.seen, s.master) // it ends with EIO
	_ = s.cmd.Wait()
	return s.cmd.ProcessState.ExitCode()
}

// TestTerminal uses a shell as a person does: job control, Ctrl-C, Ctrl-Z, the window's size.
func TestTerminal(t *testing.T) {
	s := newSession(t, "run", "-e", "PS1=ready> ", "--", "sh", "-i")
	s.expect("ready> ")
	s.typed("tty; stty size\r")
	s.expect("/dev/pts/")
	s.expect("30 100")
	s.typed("sh -c 'echo begun$((1+1)); exec sleep 1000'\r")
	s.expect("begun2")
	s.typed("\x03") // Ctrl-C ends the sleep, and not the shell
	s.expect("ready> ")
	s.typed(`sh -c 'trap "stty size; exit" WINCH; echo wait$((1+1)); while :; do sleep 0.01; done'` + "\r")
	s.expect("wait2")
	s.resize(41, 111)
	s.expect("41 111")
	s.expect("ready> ")
	s.typed("sh -c 'echo begun$((1+1)); exec sleep 1000'\r")
	s.expect("begun2")
	s.typed("\x1a") // Ctrl-Z
	s.expect("ready> ")
	s.typed("jobs; kill -KILL %1; wait; echo all is $((20+3))\r")
	s.expect("exec sleep 1000")
	s.expect("all is 23")
	s.typed("exit 6\rexit 6\r") // dash may have to be told twice, since it may not have noticed the end of the job yet
	if status := s.ended(); status != 6 {
		t.Errorf("the status is %d", status)
	}
}

// TestTerminalIsAsItWas checks that the settings are restored, and that long output arrives whole.
func TestTerminalIsAsItWas(t *testing.T) {
	s := newSession(t, "run", "--", "sh", "-c", "seq 20000; echo the end")
	before, err := unix.IoctlGetTermios(int(s.master.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	s.expect("19999\r\n20000\r\nthe end\r\n")
	_ = s.cmd.Wait()
	after, err := unix.IoctlGetTermios(int(s.master.Fd()), unix.TCGETS)
	if err != nil || before.Lflag|unix.ECHO|unix.ICANON|unix.ISIG != after.Lflag {
		t.Errorf("the flags are %x, and were %x, %v", after.Lflag, before.Lflag, err)
	}
}

// TestTerminalHangsUp closes the terminal, and checks that the run ends.
func TestTerminalHangsUp(t *testing.T) {
	socket := socketFor(t)
	t.Setenv("CGINIT_TEST_SOCKET", socket)
	s := newSession(t, "run", "--name", "left", "--", "sh", "-c", "trap '' HUP; echo there; sleep 1000")
	s.expect("there")
	s.master.Close()
	_ = s.cmd.Wait()
	receiptOf(t, socket, "left")
}
