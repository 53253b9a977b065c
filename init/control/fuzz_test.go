package control_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cginit/cginit/init/control"
	"golang.org/x/sys/unix"
)

// FuzzMessage writes any bytes, with descriptors, and ends sending. Whatever they are, the connection
// ends, and everything that comes back is Varlink.
func FuzzMessage(f *testing.F) {
	for _, seed := range []string{
		list, list + list, "{", "\x00",
		`{"method":"io.cginit.Stop","parameters":{"jobs":["a"],"grace_period_ms":1}}` + "\x00",
		`{"method":"io.cginit.Run","parameters":{"process":{"args":["a"],"user":{"uid":1,"gid":2}},` +
			`"resources":{"memory":{"limit":1}}},"more":true}` + "\x00",
		`{"method":"io.cginit.Events","more":true,"parameters":{"since":1}}` + "\x00",
		`{"method":"io.cginit.Signal","oneway":true,"parameters":{"jobs":[],"signal":"TERM"}}` + "\x00" + list,
		`{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"io.cginit"}}` + "\x00",
	} {
		f.Add([]byte(seed), uint8(len(seed)%5))
	}
	socket := filepath.Join(f.TempDir(), "s")
	s, err := control.Listen(control.Config{Path: socket})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	go answerAll(s)
	f.Fuzz(func(t *testing.T, data []byte, files uint8) {
		c, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(2 * time.Minute))
		u := c.(*net.UnixConn)
		fds := make([]int, files%12)
		for i := range fds {
			fds[i] = 2
		}
		go func() { // a write of many bytes blocks until the server has written answers
			if len(data) > 0 && len(fds) > 0 {
				_, _, _ = u.WriteMsgUnix(data[:1], unix.UnixRights(fds...), nil)
				data = data[1:]
			}
			_, _ = u.Write(data)
			_ = u.CloseWrite()
		}()
		back, err := io.ReadAll(c)
		if err != nil && !strings.Contains(err.Error(), "reset") { // the server closed it with bytes unread
			t.Fatalf("the connection does not end: %v", err)
		}
		for len(back) > 0 {
			message, rest, ok := bytes.Cut(back, []byte{0})
			var a answer
			if err := json.Unmarshal(message, &a); !ok || err != nil || a.Parameters == nil {
				t.Fatalf("the answer is %q: %v", message, err)
			}
			back = rest
		}
	})
}

// answerAll is a loop without jobs. It answers every call.
func answerAll(s *control.Server) {
	for m := range s.Messages() {
		if m.Call == nil {
			continue
		}
		if m.Call.Params == nil {
			panic("a call without parameters")
		}
		m.Call.Continue(control.EventsReply{Events: []control.Event{}})
		m.Call.Fail(control.NotFound{Job: "any"})
	}
}
