package chaos

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

// job is a script that notes what happens in the file $0, leaves zombies to reap and a child to tear
// down.
const job = `
	trap 'echo forwarded >> "$0"' USR1
	for i in 1 2 3 4 5 6 7 8 9; do (sleep 0.01 &); done
	setsid sleep 1000 &
	echo up >> "$0"
	until wait; do :; done`

// TestStalledOutput runs cginit and its job with a full pipe as output, from which nobody reads.
func TestStalledOutput(t *testing.T) {
	inModes(t, func(t *testing.T, mode pod.Mode) {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer read.Close()
		fill(t, write)
		p, file := startJob(t, pod.Spec{Mode: mode, Stdout: write, Stderr: write})
		write.Close()
		carriesOn(t, p, file)
	})
}

// TestClosedOutput runs cginit with a pipe whose reader has gone as output, and without any
// descriptors.
func TestClosedOutput(t *testing.T) {
	inModes(t, func(t *testing.T, mode pod.Mode) {
		t.Run("no reader", func(t *testing.T) {
			read, write, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			read.Close()
			p, file := startJob(t, pod.Spec{Mode: mode, Stdout: write, Stderr: write})
			write.Close()
			carriesOn(t, p, file)
		})
		t.Run("no descriptor", func(t *testing.T) {
			wrap := []string{"sh", "-c", `exec "$0" "$@" <&- >&- 2>&-`}
			p, file := startJob(t, pod.Spec{Mode: mode, Wrap: wrap})
			carriesOn(t, p, file)
		})
	})
}

func startJob(t *testing.T, spec pod.Spec) (p *pod.Pod, file string) {
	file = filepath.Join(t.TempDir(), "log")
	spec.Args = []string{"-v", "--", "sh", "-c", job, file}
	return pod.Start(t, spec), file
}

// carriesOn checks that cginit reaps, forwards signals and tears down as usual.
func carriesOn(t *testing.T, p *pod.Pod, file string) {
	t.Helper()
	has := func(line string) func() bool {
		return func() bool {
			text, _ := os.ReadFile(file)
			return strings.Contains(string(text), line)
		}
	}
	pod.Until(t, "the job starts", has("up"))
	p.Signal(syscall.SIGUSR1)
	pod.Until(t, "the signal is forwarded", has("forwarded"))
	// Only one shell is left when all shells that were forked have executed their commands.
	pod.Until(t, "the orphans are reaped", func() bool {
		return len(p.Tree("sh")) == 1 && len(p.Tree("setsid")) == 0 && len(p.Tree("sleep")) == 1 && p.Zombies() == 0
	})
	p.Signal(syscall.SIGTERM)
	r := ends(t, p, 128+15)
	if receipt, err := r.Receipt(); err != nil || receipt.Cause != "stopped" || receipt.Left != 2 {
		t.Errorf("receipt %+v, %v", receipt, err)
	}
}

// fill writes to a pipe until the pipe is full.
func fill(t *testing.T, write *os.File) {
	t.Helper()
	fd := int(write.Fd()) // Fd makes the descriptor blocking, as that of a stalled log pipe is
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	var err error
	for err == nil {
		_, err = unix.Write(fd, make([]byte, 4096))
	}
	for err = nil; err == nil; { // fills the rest of the last page
		_, err = unix.Write(fd, []byte{'.'})
	}
	if err := unix.SetNonblock(fd, false); err != nil {
		t.Fatal(err)
	}
}
