package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/cginit/cginit/init/control"
)

// answerOnce answers one call on a new socket, and returns the path of the socket and the call.
func answerOnce(t *testing.T) (path string, call <-chan []byte) {
	t.Helper()
	dir, err := os.MkdirTemp("", "") // t.TempDir can be longer than the path of a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path = filepath.Join(dir, "socket")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	calls := make(chan []byte, 1)
	go func() {
		defer close(calls)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		message, _ := bufio.NewReader(c).ReadBytes(0)
		calls <- bytes.TrimSuffix(message, []byte{0})
		_, _ = c.Write([]byte("{\"parameters\":{}}\x00"))
	}()
	return path, calls
}

// TestSignalAsWritten checks that a signal goes over the wire as the user has written it, on every
// platform: only the supervisor knows Linux's signals. USR1 is 30 on darwin, and Windows has none.
func TestSignalAsWritten(t *testing.T) {
	for _, signal := range []string{"TERM", "SIGUSR1", "usr2", "10", "30", "CHLD", "STKFLT", "RTMIN+3", "SIGRTMAX-1"} {
		path, calls := answerOnce(t)
		var out bytes.Buffer
		if status := execute([]string{"--socket", path, "signal", signal, "web"}, &out, &out); status != 0 {
			t.Fatalf("signal %s: status %d: %s", signal, status, out.String())
		}
		var sent struct {
			Method     string               `json:"method"`
			Parameters control.SignalParams `json:"parameters"`
		}
		if err := json.Unmarshal(<-calls, &sent); err != nil {
			t.Fatal(err)
		}
		if sent.Method != "io.cginit.Signal" || sent.Parameters.Signal != signal {
			t.Errorf("signal %s: sent %+v", signal, sent)
		}
	}
}
