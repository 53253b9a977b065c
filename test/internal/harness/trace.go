package harness

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// tracedLines is how many lines of a trace a failed test shows, and how many bytes at most.
const tracedLines, tracedBytes = 60, 1 << 14

// Trace returns the variable that has cginit write each event, state and action of its runs and
// jobs to a file in dir, and shows the end of that file when the test fails. The cginit may be
// another user's: dir must be one that it can write to.
func Trace(t testing.TB, dir string) string {
	file := filepath.Join(dir, "trace")
	ShowTrace(t, file)
	return "CGINIT_TRACE=" + file
}

// ShowTrace shows the last lines of a trace when the test fails. That there is no trace is no
// error. The directory of the file must have been made before, so that it is removed afterwards.
func ShowTrace(t testing.TB, file string) {
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		if text := tail(file); len(text) > 0 {
			t.Logf("the last events of cginit:\n%s", text)
		}
	})
}

// tail returns the last lines of a file; none, if it cannot be read.
func tail(path string) []byte {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	_, _ = file.Seek(-tracedBytes, io.SeekEnd) // a shorter file is read from its start
	text, _ := io.ReadAll(io.LimitReader(file, tracedBytes))
	lines := bytes.SplitAfter(text, []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-1-tracedLines):], nil)
}
