// Package examples runs each folder of examples that has a cginit.yaml as its README says, in a
// container of its own.
package examples

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { os.Exit(pod.Main(m)) }

func folder(name string) string { return filepath.Join(harness.Root(), "examples", name) }

// box is the container of an example.
type box struct {
	*pod.Pod
	t      *testing.T
	report string
}

// enter is a script that brings up the container's own network and copies the example's files to /srv.
// In a network of its own each example can use the ports that it names.
const enter = `busybox ip link set lo up && cp -R "$1"/. /srv/ && shift && exec "$@"`

// start runs an example with additional flags. Directories that an image would have are private and
// empty.
func start(t *testing.T, name string, env []string, flags ...string) *box {
	t.Helper()
	harness.Command(t, "busybox")
	report := filepath.Join(pod.OpenDir(t), "receipts")
	return &box{t: t, report: report, Pod: pod.Start(t, pod.Spec{
		Mode: pod.Process1, Report: report, Tmpfs: []string{"/run", "/srv", "/var/lib"}, Env: env,
		Wrap: []string{"unshare", "--net", "--", "sh", "-c", enter, "sh", folder(name)},
		Args: append([]string{"--config", "/srv/cginit.yaml"}, flags...),
	})}
}

// stop ends the example as docker stop does. All processes must end when they are asked to.
func (b *box) stop() {
	b.t.Helper()
	b.Signal(syscall.SIGTERM)
	r := b.Wait()
	if err := r.Clean(); err != nil {
		b.t.Error(err)
	}
	text, _ := os.ReadFile(b.report)
	if r.Code != 0 || len(text) == 0 {
		b.t.Errorf("cginit ended with %d; receipts: %s; stderr: %s", r.Code, text, r.Stderr)
	}
	for line := range strings.Lines(string(text)) {
		var receipt struct {
			Job                string
			Killed, Unkillable int
		}
		if err := json.Unmarshal([]byte(line), &receipt); err != nil {
			b.t.Error(err)
		}
		// A health check that is under way is killed with its service, without being asked.
		if receipt.Killed+receipt.Unkillable > 0 && !strings.HasSuffix(receipt.Job, "/health") {
			b.t.Errorf("a process had to be killed: %s", line)
		}
	}
}

// do makes a request to a port of the container.
func (b *box) do(method, url string) (status int, body string) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: b.dial}}
	request, err := http.NewRequestWithContext(b.t.Context(), method, url, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(text)
}

// dial connects from inside the container's network namespace.
func (b *box) dial(_ context.Context, network, address string) (conn net.Conn, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked, so that the thread ends with the goroutine and leaves the namespace
		var space *os.File
		if space, err = os.Open("/proc/" + pid(b.Pod) + "/ns/net"); err != nil {
			return
		}
		defer space.Close()
		if err = unix.Setns(int(space.Fd()), unix.CLONE_NEWNET); err == nil {
			conn, err = net.Dial(network, address)
		}
	}()
	<-done
	return conn, err
}

// serves waits until the answer to a request contains want.
func (b *box) serves(method, url, want string) {
	b.t.Helper()
	body := ""
	defer func() {
		if b.t.Failed() {
			b.t.Logf("the last answer was %q; on stderr: %s", body, b.Stderr())
		}
	}()
	pod.Until(b.t, method+" "+url+" is answered with "+want, func() bool {
		_, body = b.do(method, url)
		return strings.Contains(body, want)
	})
}
