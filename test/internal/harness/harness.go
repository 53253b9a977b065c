// Package harness is what the end-to-end suites share: the program under test, and the rule
// for what a machine lacks.
package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Missing ends a test whose engine (docker, qemu, root ...) is not here: a skip with a name
// on a user's machine, a failure where CI=true, because there a skip would hide a suite.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing, and CI must have it", what)
	}
	t.Skipf("SKIPPED for want of %s", what)
}

// AsRoot is for tests that need more uids than one, or the machine's own cgroups.
func AsRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Missing(t, "root")
	}
}

// Command looks a program up; without it the test ends as Missing says.
func Command(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, name)
	}
	return path
}

// Root returns the directory of go.mod.
func Root() string {
	dir, err := os.Getwd()
	for ; err == nil && dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
	}
	panic("no go.mod above " + dir)
}

// builds has the directory of the programs for each platform (GOARCH; empty is the machine's), or the error.
var builds struct {
	sync.Mutex
	done map[string]func() (string, error)
}

// build builds the programs for a platform, once, and returns their directory. With an error it returns what the
// build has said.
func build(platform string) (string, error) {
	builds.Lock()
	defer builds.Unlock()
	if builds.done == nil {
		builds.done = map[string]func() (string, error){}
	}
	if builds.done[platform] == nil {
		builds.done[platform] = sync.OnceValues(func() (string, error) { return buildFor(platform) })
	}
	return builds.done[platform]()
}

func buildFor(platform string) (string, error) {
	dir, err := os.MkdirTemp("", "cginit-test-")
	if err != nil {
		return "", err
	}
	for _, args := range [][]string{
		{"make", "-s", "build", "BIN=" + dir + "/"},
		{"go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", dir + "/", "./test/trees", "./test/contract/act", "./test/hostile"},
	} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = Root()
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if platform != "" {
			cmd.Env = append(cmd.Env, "GOARCH="+platform)
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			return strings.TrimSpace(string(out)), err
		}
	}
	return dir, os.Chmod(dir, 0o755)
}

// Bin builds the programs as they are shipped (static, stripped), once a test binary, and
// returns the path of one of them: cginit, trees, act.
func Bin(t testing.TB, name string) string {
	t.Helper()
	return BinFor(t, "", name)
}

// BinFor is Bin for another platform, as GOARCH names it.
func BinFor(t testing.TB, platform, name string) string {
	t.Helper()
	dir, err := build(platform)
	if err != nil {
		t.Fatalf("cannot build: %v\n%s", err, dir)
	}
	return filepath.Join(dir, name)
}
