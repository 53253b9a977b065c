package catch

import (
	"os"
	"os/exec"
	"runtime/debug"
	"syscall"
	"testing"
	"time"

	"github.com/cginit/cginit/internal/afresh"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	if os.Getenv("CATCH") != "" {
		os.Exit(m.Run()) // with SIGHUP ignored
	}
	os.Exit(afresh.Main(m))
}

// ours are the signals that a program can catch, without those that Go's runtime needs for itself.
func ours() (sigs []syscall.Signal) {
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		switch sig {
		case unix.SIGKILL, unix.SIGSTOP, unix.SIGPIPE, unix.SIGURG, unix.SIGPROF, 32, 33, 34:
		default:
			sigs = append(sigs, sig)
		}
	}
	return sigs
}

// TestSignals checks that every signal arrives, and none twice, and that faults of the program are still
// panics. It runs in a process of its own, in which SIGHUP is ignored.
func TestSignals(t *testing.T) {
	if os.Getenv("CATCH") == "" {
		cmd := exec.Command("sh", "-c", `trap "" HUP; CATCH=1 exec "$0" -test.run "^TestSignals$" -test.v`, os.Args[0])
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	setFull()
	from, err := Signals(ours())
	if err != nil {
		t.Fatal(err)
	}
	next := func() syscall.Signal {
		select {
		case sig := <-from:
			return sig
		case <-time.After(20 * time.Second):
			return 0
		}
	}
	if err := unix.Kill(os.Getpid(), 40); err != nil {
		t.Fatal(err)
	}
	if first := next(); first != 40 {
		t.Errorf("signal 40 arrives as %d", first)
	}
	if hasPipe {
		if second := next(); second != unix.SIGCHLD {
			t.Errorf("after a full pipe comes %d", second)
		}
	}
	for _, sig := range ours() {
		if err := unix.Kill(os.Getpid(), sig); err != nil {
			t.Fatal(err)
		}
		if sig == unix.SIGHUP {
			continue
		}
		if got := next(); got != sig {
			t.Fatalf("signal %d arrives as %d", sig, got)
		}
	}
	for _, sig := range ours() { // also as tgkill(2) sends it, which other processes can call too
		if sig == unix.SIGHUP {
			continue
		}
		if err := unix.Tgkill(os.Getpid(), unix.Gettid(), sig); err != nil {
			t.Fatal(err)
		}
		if got := next(); got != sig {
			t.Fatalf("signal %d to a thread arrives as %d", sig, got)
		}
	}
	const many = 5000 // more than the channel holds; signals of real time are not merged
	for i := range many {
		if err := unix.Kill(os.Getpid(), syscall.Signal(40+i%2)); err != nil {
			t.Fatal(err)
		}
	}
	came := map[syscall.Signal]int{}
	for came[0] == 0 && came[40]+came[41] < many && (hasPipe || came[40]*came[41] == 0) {
		came[next()]++ // two threads can take one each, and change their order
	}
	if came[0] != 0 || hasPipe && came[40] != came[41] {
		t.Errorf("of %d signals 40 and as many 41 came %v", many/2, came)
	}
	if !panics() {
		t.Error("a nil pointer makes no panic any more")
	}
	write(t)
	Reset(unix.SIGTERM)
	if isCaught(unix.SIGTERM) {
		t.Error("SIGTERM has a handler after Reset")
	}
}

// panics tells whether a fault of the program is a panic.
func panics() (is bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { is = recover() != nil }()
	first := func(p *int) int { return *p }
	return first(nil) == 0
}

// write checks that a write without a reader fails and does nothing else.
func write(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	if _, err := unix.Write(int(w.Fd()), []byte("x")); err != unix.EPIPE {
		t.Errorf("a write without a reader: %v", err)
	}
}
