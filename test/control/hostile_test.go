package controlled

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/box"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// bad holds messages that are no valid calls, and calls whose client goes away.
var bad = []string{
	"\x00",
	"{\x00",
	"null\x00",
	"[]\x00",
	`{"method":1}` + "\x00",
	`{"method":"io.cginit.Run","parameters":{"process":{"args":[]}}}` + "\x00",
	`{"method":"io.cginit.Run","parameters":{"process":{"args":["/bin/true"]},"timeout":1}}` + "\x00",
	`{"method":"io.cginit.Run","parameters":{"process":{"args":["/bin/true"]},"name":"../../../escaped"}}` + "\x00",
	`{"method":"io.cginit.Stop","parameters":{"jobs":[]}}` + "\x00",
	`{"method":"io.cginit.Freeze","parameters":{"jobs":["nobody"]}}` + "\x00",
	`{"method":"io.cginit.Nothing"}` + "\x00",
	`{"method":"io.cginit.List"`,
	// The client of this run goes away.
	`{"method":"io.cginit.Run","more":true,"parameters":{"process":{"args":["/bin/sleep","100000"]}}}` + "\x00",
	`{"method":"io.cginit.Events","more":true,"parameters":{"since":0}}` + "\x00",
	"\xff\xfe\x00",
	strings.Repeat("[", 1<<16) + "\x00",
	`{"method":"` + strings.Repeat("x", 2<<20), // the message never ends
}

// TestHostile checks that process 1 keeps answering whatever is sent to it, and ends with nothing left.
func TestHostile(t *testing.T) {
	b := box.Start(t, pod.Process1, plain)
	idle := make([]net.Conn, 300)
	for i := range idle {
		idle[i] = dial(t, b)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 200 {
		c := dial(t, b)
		text := bad[i%len(bad)]
		if i >= 2*len(bad) { // cut off at a random place
			text = text[:random.IntN(len(text)+1)]
		}
		_, _ = io.WriteString(c, text) // the server may cut the client off before it has sent everything
		if i%2 == 0 {
			_ = c.(*net.UnixConn).CloseWrite()
			// Returns when the server has answered or has cut the client off.
			_, _ = io.Copy(io.Discard, io.LimitReader(c, 1<<20))
		}
		c.Close()
		if i%10 == 0 {
			answers(t, b)
		}
	}
	answers(t, b)
	pod.Until(t, "what was abandoned is gone", func() bool {
		l, err := b.Dial(t).List(t.Context(), control.ListParams{})
		return err == nil && len(l.Jobs) == 1
	})
	if kb := b.Private(t); kb > 16<<10 {
		t.Errorf("cginit has %d kB of private memory, more than 16 MB", kb)
	}
	b.Client = b.Dial(t) // the first connection was closed to make room
	b.End(t, 0)
}

func dial(t *testing.T, b *box.Box) net.Conn {
	t.Helper()
	c, err := net.Dial("unix", b.Socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func answers(t *testing.T, b *box.Box) {
	t.Helper()
	c := b.Dial(t)
	defer c.Close()
	l, err := c.List(t.Context(), control.ListParams{})
	if err != nil || l.Jobs[0].State != control.Running {
		t.Fatalf("the list is %+v, %v; stderr: %s", l, err, b.Stderr())
	}
}

// TestNames checks that the name of a run, which becomes the name of a cgroup, cannot lead to another
// directory.
func TestNames(t *testing.T) {
	b := box.Start(t, pod.Process1, plain)
	b.Await(t, control.UntilReady, "web")
	before := len(b.Cgroups())
	for _, name := range []string{"..", "../up", "a/b", "/", ".", "-x", strings.Repeat("n", 300), "new\nline", "nul\x00", "spa ce", "web"} {
		p := command("/bin/true")
		p.Name = name
		c := b.Dial(t)
		if lease, err := c.Run(t.Context(), p); err == nil {
			last, err := lease.Wait()
			t.Errorf("%q was accepted as a name: %+v, %v", name, last, err)
		}
		c.Close()
	}
	if after := len(b.Cgroups()); after > before {
		t.Errorf("there are %d cgroups, not %d as before", after, before)
	}
	b.End(t, 0)
}

// TestPermission checks that a user who is not root may do what the file allows, from outside and from
// inside a run.
func TestPermission(t *testing.T) {
	const may, mayNot = 4242, 4243
	closed := box.Start(t, pod.Process1, plain)
	if out, err := as(mayNot, ctl(t, closed, "ps")).CombinedOutput(); err == nil || !strings.Contains(string(out), "only root") {
		t.Errorf("without the key access a user must be refused, but got %v: %s", err, out)
	}
	closed.End(t, 0)

	b := box.Start(t, pod.Process1, fmt.Sprintf("access: {uids: [%d]}\n%s", may, plain))
	if out := says(t, as(may, ctl(t, b, "ps"))); !strings.Contains(out, "web") {
		t.Errorf("the user who may got: %s", out)
	}
	if out, err := as(mayNot, ctl(t, b, "stop", "web")).CombinedOutput(); err == nil || !strings.Contains(string(out), "uid 4243 may not") {
		t.Errorf("the user who may not got %v: %s", err, out)
	}
	inside := []string{harness.Bin(t, "cginitctl"), "--socket", b.Socket, "kill", "web"}
	out, err := ctl(t, b, append([]string{"run", "--user", "4243:4243", "--"}, inside...)...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "uid 4243 may not") {
		t.Errorf("the run of a user who may not got %v: %s", err, out)
	}
	if web := one(t, b, "web"); web.State != control.Running || web.Run != 1 {
		t.Errorf("the service is %+v", web)
	}
	b.End(t, 0)
}

// as sets the user that a command runs as, if this test is root.
func as(uid uint32, cmd *exec.Cmd) *exec.Cmd {
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	}
	return cmd
}
