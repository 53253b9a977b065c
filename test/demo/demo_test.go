// Package demo runs the demo, which is the first thing that a newcomer runs.
package demo

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cginit/cginit/internal/afresh"
	"github.com/cginit/cginit/test/internal/harness"
)

func TestMain(m *testing.M) { os.Exit(afresh.Main(m)) }

// TestDemo runs the script of make demo as the user of the test, and if that is root also as an
// ordinary user.
func TestDemo(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(harness.Root(), "examples", "demo"))); err != nil {
		t.Fatal(err)
	}
	for up := dir; up != os.TempDir() && up != "/"; up = filepath.Dir(up) {
		if err := os.Chmod(up, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	users := map[string]*syscall.Credential{"as we are": nil}
	if os.Getuid() == 0 {
		users["as an ordinary user"] = &syscall.Credential{Uid: 65534, Gid: 65534}
	}
	for name, user := range users {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, "sh", filepath.Join(dir, "demo.sh"), harness.Bin(t, "cginit"))
			// If the script fails, processes that it leaves behind hold its output open.
			cmd.WaitDelay = time.Second
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: user}
			cmd.Env = append(os.Environ(), "TMPDIR="+os.TempDir())
			text, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			_, proof, found := strings.Cut(string(text), "3. The proof")
			for _, want := range []string{"  nothing\n", `"cause":"stopped"`, `"killed":3`, "ignored SIGTERM", "daemonised"} {
				if !found || !strings.Contains(proof, want) {
					t.Errorf("the output of the demo lacks %q:\n%s", want, text)
				}
			}
		})
	}
}
