package controlled

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cginit/cginit/test/internal/box"
	"github.com/cginit/cginit/test/internal/pod"
)

// TestStdio sends much data through a run. It must arrive unchanged, and process 1 must not have read
// or written any of it.
func TestStdio(t *testing.T) {
	size := int64(256 << 20)
	if os.Getenv("CGINIT_BIG") != "" {
		size = 1 << 30
	}
	b := box.Start(t, pod.Process1, plain)
	bare := through(t, exec.Command("cat"), size, func() {}, func() {})
	var moved, ticks int
	run := through(t, ctl(t, b, "run", "--", "cat"), size,
		func() { moved, ticks = bytesMoved(t, b.Pid), b.Ticks(t) },
		func() { moved, ticks = bytesMoved(t, b.Pid)-moved, b.Ticks(t)-ticks })
	t.Logf("%d MB: %s, with a bare cat %s; process 1 has moved %d bytes meanwhile and used %d hundredths of a second", size>>20, run, bare, moved, ticks)
	if moved > 1<<20 {
		t.Errorf("process 1 has read and written %d bytes", moved)
	}
	if ticks > 5 {
		t.Errorf("process 1 has used %d hundredths of a second", ticks)
	}
	b.End(t, 0)
}

// through sends size bytes through a command and returns how long that takes: from the arrival of the
// first byte until all have arrived, before the input is closed.
func through(t *testing.T, cmd *exec.Cmd, size int64, begin, end func()) time.Duration {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 1)
	_, _ = in.Write([]byte{'x'}) // an error shows in the read below
	if _, err := io.ReadFull(out, first); err != nil {
		t.Fatalf("the command writes nothing: %v: %s", err, stderr.String())
	}
	begin()
	began, went, came := time.Now(), sha256.New(), sha256.New()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		source := io.LimitReader(rand.NewChaCha8([32]byte{1}), size)
		_, _ = io.CopyBuffer(io.MultiWriter(in, went), source, make([]byte, 64<<10)) // a loss shows at the other end
	}()
	if n, err := io.CopyN(came, out, size); err != nil {
		t.Fatalf("after %d bytes: %v: %s", n, err, stderr.String())
	}
	took := time.Since(began)
	<-sent
	end()
	in.Close()
	if rest, err := io.ReadAll(out); len(rest) > 0 || err != nil {
		t.Errorf("the command wrote %d bytes too many, %v", len(rest), err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, stderr.String())
	}
	if !bytes.Equal(went.Sum(nil), came.Sum(nil)) {
		t.Error("the output differs from the input")
	}
	return took
}

// bytesMoved returns how many bytes a process has read and written so far, by all of its system calls.
func bytesMoved(t *testing.T, pid int) (sum int) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if n, err := strconv.Atoi(value); err == nil && (name == "rchar" || name == "wchar") {
			sum += n
		}
	}
	return sum
}
