package proc

import (
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMark checks that children have the mark of this process, also with another program and another user.
func TestMark(t *testing.T) {
	var before unix.Rlimit
	if err := unix.Prlimit(0, rlimitLocks, nil, &before); err != nil {
		t.Fatal(err)
	}
	r := &Reader{}
	r.Open()
	defer r.Close()
	if before.Cur == unix.RLIM_INFINITY && r.Mark(os.Getpid()) != 0 {
		t.Errorf("without a mark there is %d", r.Mark(os.Getpid()))
	}
	mark := uint64(0xc9<<32) + uint64(os.Getpid())
	if err := SetMark(mark); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Prlimit(0, rlimitLocks, &before, nil) }()
	cmd := exec.Command("sh", "-c", "sleep 100 & echo; wait")
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &unix.SysProcAttr{Credential: &syscall.Credential{Uid: 12345, Gid: 12345}, Setsid: true}
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var line [1]byte
	if _, err := out.Read(line[:]); err != nil {
		t.Fatal(err)
	}
	found := r.Marked(nil, mark)
	is := func(pid int) func(Child) bool { return func(c Child) bool { return int(c.Pid) == pid } }
	if len(found) != 2 || !slices.ContainsFunc(found, is(cmd.Process.Pid)) || slices.ContainsFunc(found, is(os.Getpid())) {
		t.Errorf("the marked processes are %v", found)
	}
	for _, c := range found {
		_ = unix.Kill(int(c.Pid), unix.SIGKILL)
	}
	_ = cmd.Wait()
	for late := time.Now().Add(20 * time.Second); len(r.Marked(nil, mark)) > 0; {
		if time.Now().After(late) {
			t.Fatalf("the dead are marked: %v", r.Marked(nil, mark))
		}
	}
	if SetMark(unix.RLIM_INFINITY) != nil || r.Mark(os.Getpid()) != 0 {
		t.Error("the mark cannot be taken off")
	}
}
