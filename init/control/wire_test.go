package control_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/init/control/controltest"
	"golang.org/x/sys/unix"
)

// wire is a connection on which a test can write anything.
type wire struct {
	testing.TB
	*net.UnixConn
	in *bufio.Reader
}

// answer is a reply of the server.
type answer struct {
	Error      string         `json:"error"`
	Parameters map[string]any `json:"parameters"`
	Continues  bool           `json:"continues"`
}

func connect(t testing.TB, socket string) *wire {
	t.Helper()
	c, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(5 * time.Minute))
	return &wire{t, c.(*net.UnixConn), bufio.NewReader(c)}
}

func (w *wire) write(text string) {
	w.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		w.Fatal(err)
	}
}

func (w *wire) read() (a answer) {
	w.Helper()
	message, err := w.in.ReadBytes(0)
	if err != nil {
		w.Fatal(err)
	}
	if err := json.Unmarshal(message[:len(message)-1], &a); err != nil {
		w.Fatal(err)
	}
	return a
}

// unread returns what has come in, without waiting.
func (w *wire) unread() string { return unread(w.UnixConn) }

func unread(c *net.UnixConn) string {
	n, buf := 0, make([]byte, 1<<16)
	raw, err := c.SyscallConn()
	if err == nil {
		_ = raw.Control(func(fd uintptr) { n, _, _ = unix.Recvfrom(int(fd), buf, unix.MSG_DONTWAIT) })
	}
	return string(buf[:max(0, n)])
}

// ended waits for the end of the connection.
func (w *wire) ended() {
	w.Helper()
	if rest, err := io.ReadAll(w.in); errors.Is(err, os.ErrDeadlineExceeded) || len(rest) > 0 {
		w.Errorf("instead of its end there is %q, %v", rest, err)
	}
}

// exchange sends one message on a new connection and returns the answer.
func exchange(t testing.TB, socket, message string) answer {
	t.Helper()
	w := connect(t, socket)
	defer w.Close()
	w.write(message + "\x00")
	return w.read()
}

const (
	// list is a call of List.
	list = `{"method":"io.cginit.List"}` + "\x00"
	// waitForBatch is a call that is not answered until another one starts the job.
	waitForBatch = `{"method":"io.cginit.Wait","parameters":{"jobs":["batch"],"until":"ready"}}` + "\x00"
)

// TestBadMessages: a message that is not Varlink ends the connection. A call that does not exist is
// answered with an error.
func TestBadMessages(t *testing.T) {
	socket := controltest.Start(t)
	const (
		malformed        = "io.cginit.Malformed"
		noInterface      = "org.varlink.service.InterfaceNotFound"
		noMethod         = "org.varlink.service.MethodNotFound"
		notImplemented   = "org.varlink.service.MethodNotImplemented"
		invalidParameter = "org.varlink.service.InvalidParameter"
	)
	for message, want := range map[string]string{
		``:                                     malformed,
		`{`:                                    malformed,
		`[]`:                                   malformed,
		`null`:                                 malformed,
		`{}`:                                   malformed,
		`{"method":1}`:                         malformed,
		`{"method":"io.cginit.List","more":1}`: malformed,
		`{"method":"io.cginit.List"} x`:        malformed,
		"{\"method\":\"\xff\"}":                malformed,
		strings.Repeat("[", 100_000):           malformed,

		`{"method":"List"}`:                                      noInterface,
		`{"method":"com.example.Do"}`:                            noInterface,
		`{"method":"io.cginit.list"}`:                            noMethod,
		`{"method":"io.cginit."}`:                                noMethod,
		`{"method":"org.varlink.service.Nothing"}`:               noMethod,
		`{"method":"io.cginit.List","upgrade":true}`:             notImplemented,
		`{"method":"io.cginit.List","parameters":[]}`:            invalidParameter,
		`{"method":"io.cginit.List","parameters":{"x":1}}`:       invalidParameter,
		`{"method":"io.cginit.List","parameters":{"jobs":"a"}}`:  invalidParameter,
		`{"method":"io.cginit.Stop"}`:                            invalidParameter,
		`{"method":"io.cginit.Stop","parameters":{"jobs":null}}`: invalidParameter,

		`{"method":"org.varlink.service.GetInterfaceDescription"}`:                                  invalidParameter,
		`{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"x.y"}}`: noInterface,
	} {
		t.Run(fmt.Sprintf("%.60q", message), func(t *testing.T) {
			w := connect(t, socket)
			w.write(message + "\x00" + list)
			if a := w.read(); a.Error != want {
				t.Errorf("the message is answered with %+v", a)
			}
			if want == malformed {
				w.ended()
			} else if a := w.read(); a.Error != "" {
				t.Errorf("the next call is answered with %+v", a)
			}
		})
	}
}

// TestParameterNames: the error names the parameter that is wrong.
func TestParameterNames(t *testing.T) {
	socket := controltest.Start(t)
	for parameters, want := range map[string]string{
		`{"process":{"args":["a"]},"timeout":1}`:                             "timeout",
		`{"process":{"args":"a"}}`:                                           "process.args",
		`{"process":{"args":["a"],"user":{"uid":-1,"gid":0}}}`:               "process.user.uid",
		`{"process":{"args":["a"]},"resources":{"memory":{"limit":"512m"}}}`: "resources.memory.limit",
		`{}`: "process",
	} {
		a := exchange(t, socket, `{"method":"io.cginit.Run","parameters":`+parameters+`}`)
		if a.Error != "org.varlink.service.InvalidParameter" || a.Parameters["parameter"] != want {
			t.Errorf("%s is answered with %+v", parameters, a)
		}
	}
}

// TestRepliesKeepTheOrderOfTheCalls: a call that takes long delays the reply to the next call, but
// not the call itself.
func TestRepliesKeepTheOrderOfTheCalls(t *testing.T) {
	socket := controltest.Start(t)
	w := connect(t, socket)
	w.write(waitForBatch +
		`{"method":"io.cginit.Start","parameters":{"jobs":["batch"]},"oneway":true}` + "\x00" +
		`{"method":"io.cginit.Nothing","oneway":true}` + "\x00" +
		`{"method":"io.cginit.Status","parameters":{"job":"web"}}` + "\x00")
	if a := w.read(); a.Parameters["jobs"] == nil {
		t.Errorf("the first reply is %+v", a)
	}
	if a := w.read(); a.Parameters["job"] == nil {
		t.Errorf("the second reply is %+v", a)
	}
}

// TestHalfClosed does as printf | nc -N: the client ends sending and waits for the answers.
func TestHalfClosed(t *testing.T) {
	w := connect(t, controltest.Start(t))
	w.write(list + `{"method":"io.cginit.Run","parameters":{"process":{"args":["/bin/sleep","1000"]}}}` + "\x00")
	if err := w.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if a := w.read(); a.Parameters["jobs"] == nil {
		t.Errorf("the answer is %+v", a)
	}
	if a := w.read(); a.Parameters["state"] != "ended" { // a lease ends when the client ends sending
		t.Errorf("the answer is %+v", a)
	}
	w.ended()
}

// TestManySizes writes a call byte by byte, and calls of all sizes in halves, up to the limit.
func TestManySizes(t *testing.T) {
	w := connect(t, controltest.Start(t))
	for i := range len(list) {
		w.write(list[i : i+1])
	}
	w.read()
	for _, size := range []int{4095, 4096, 4097, 100_000, control.MaxMessage - 1} {
		pad := strings.Repeat(" ", size-len(list)+1)
		w.write(list[:size/9000%len(list)])
		w.write(list[size/9000%len(list):len(list)-1] + pad + "\x00")
		if a := w.read(); a.Error != "" {
			t.Errorf("%d bytes are answered with %+v", size, a)
		}
	}
	go func() { _, _ = io.Copy(w.UnixConn, strings.NewReader(strings.Repeat("x", control.MaxMessage+1))) }()
	if a := w.read(); a.Error != "io.cginit.Malformed" {
		t.Errorf("one byte more is answered with %+v", a)
	}
	w.ended()
}

// TestTooManyCalls opens more calls than one connection may have. The connection ends.
func TestTooManyCalls(t *testing.T) {
	socket := controltest.Start(t)
	w := connect(t, socket)
	_, _ = io.WriteString(w, strings.Repeat(waitForBatch, 100))
	w.ended()
	if a := exchange(t, socket, list[:len(list)-1]); a.Error != "" {
		t.Errorf("then the server answers %+v", a)
	}
}

// TestUnwantedDescriptors: descriptors are closed with whatever message they come, unless a run takes
// them.
func TestUnwantedDescriptors(t *testing.T) {
	socket := controltest.Start(t)
	run := func(args string) string {
		return `{"method":"io.cginit.Run","parameters":{"process":{"args":` + args + `}}}` + "\x00"
	}
	const unanswered = "-"
	for _, test := range []struct {
		message string
		n       int
		err     string
	}{
		{list, 3, ""},
		{`{"method":"com.example.Do"}` + "\x00", 3, "org.varlink.service.InterfaceNotFound"},
		{"x\x00", 3, "io.cginit.Malformed"},
		{run(`["/bin/true"]`), 2, "io.cginit.InvalidValue"},
		{run(`[]`), 3, "io.cginit.InvalidValue"},
		{run(`["/bin/true"]`), 3, ""},
		{list, 9, "io.cginit.Malformed"},
		{list, 200, "io.cginit.Malformed"},
		{`{"method":`, 3, unanswered},
		{strings.Replace(run(`[]`), "{", `{"oneway":true,`, 1), 3, unanswered},
		{`{"method":"io.cginit.Nothing","oneway":true}` + "\x00", 3, unanswered},
	} {
		w := connect(t, socket)
		out, in, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		fds := make([]int, test.n)
		for i := range fds {
			fds[i] = int(in.Fd())
		}
		if _, _, err := w.WriteMsgUnix([]byte(test.message), unix.UnixRights(fds...), nil); err != nil {
			t.Fatal(err)
		}
		in.Close()
		if test.err != unanswered {
			if a := w.read(); a.Error != test.err {
				t.Errorf("%d descriptors with %q: %+v", test.n, test.message, a)
			}
		} else {
			w.Close()
		}
		// The read returns io.EOF when all copies of the writing end are closed.
		if n, err := out.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("%d descriptors with %q: %v", test.n, test.message, err)
		}
		w.Close()
		out.Close()
	}
}

// TestDescriptorsBelongToTheirMessage sends calls without descriptors, one with, and one without, and
// reads no answer in between.
func TestDescriptorsBelongToTheirMessage(t *testing.T) {
	w := connect(t, controltest.Start(t))
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fd := int(in.Fd())
	w.write(list + list)
	run := `{"method":"io.cginit.Run","parameters":{"process":{"args":["/bin/echo","to me"]}}}` + "\x00"
	if _, _, err := w.WriteMsgUnix([]byte(run[:20]), unix.UnixRights(fd, fd, fd), nil); err != nil {
		t.Fatal(err)
	}
	w.write(run[20:] + list)
	in.Close()
	for range 4 {
		if a := w.read(); a.Error != "" {
			t.Errorf("an answer is %+v", a)
		}
	}
	if text, err := io.ReadAll(out); string(text) != "to me\n" || err != nil {
		t.Errorf("the run wrote %q, %v", text, err)
	}
}
