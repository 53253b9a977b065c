// Package real runs programs that people run in containers, as Debian packages them, and stops them.
// Each must report a clean end itself, and nothing may be left.
package real

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cginit/cginit/test/internal/pod"
)

func TestMain(m *testing.M) { os.Exit(pod.Main(m)) }

// inModes runs a test in every mode.
func inModes(t *testing.T, test func(t *testing.T, mode pod.Mode)) {
	for _, mode := range pod.Modes {
		t.Run(string(mode), func(t *testing.T) { test(t, mode) })
	}
}

// write makes a file in dir and returns its path.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// says waits until a file contains text.
func says(t *testing.T, path, text string) {
	t.Helper()
	pod.Until(t, path+" says "+text, func() bool {
		all, _ := os.ReadFile(path)
		return strings.Contains(string(all), text)
	})
}

// get requests / from the server on a unix socket until it answers, and returns the body.
func get(t *testing.T, socket string) (body string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}}
	pod.Until(t, socket+" answers", func() bool {
		response, err := client.Get("http://pod/")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		all, err := io.ReadAll(response.Body)
		body = string(all)
		return err == nil && response.StatusCode == http.StatusOK
	})
	return body
}

// stop asks cginit to end, and checks that no process had to be killed.
func stop(t *testing.T, p *pod.Pod, code int) pod.Receipt {
	t.Helper()
	p.Signal(syscall.SIGTERM)
	return ends(t, p, "stopped", code)
}

func ends(t *testing.T, p *pod.Pod, cause string, code int) pod.Receipt {
	t.Helper()
	r := p.Wait()
	if err := r.Clean(); err != nil {
		t.Error(err)
	}
	receipt, err := r.Receipt()
	if err != nil {
		t.Fatal(err)
	}
	if r.Code != code || receipt.Cause != cause || receipt.Killed+receipt.Unkillable != 0 {
		t.Errorf("%s with %d, not %s with %d; killed: %+v; stderr: %s", receipt.Cause, r.Code, cause, code, receipt.Processes, r.Stderr)
	}
	return receipt
}
