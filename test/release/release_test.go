// Package release builds a release twice, and compares.
package release

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cginit/cginit/internal/afresh"
	"github.com/cginit/cginit/test/internal/harness"
)

func TestMain(m *testing.M) { os.Exit(afresh.Main(m)) }

// command runs a command in dir with more variables, and returns its output.
func command(t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}

// copyTree copies the files of the project, as they are now, to dir. The programs that make installs are
// shared.
func copyTree(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	command(t, harness.Root(), []string{"TO=" + dir}, "sh", "-ec",
		`tar -c --exclude=./.git --exclude=./bin --exclude=./dist --exclude=./test/vm/cache . | tar -x -C "$TO"`)
	if err := os.Symlink(filepath.Join(harness.Root(), "bin"), filepath.Join(dir, "bin")); err != nil {
		t.Fatal(err)
	}
}

// TestTwoBuildsAreEqual builds two platforms, one for each kind of archive, in two directories, with
// another cache, umask and time zone for the second.
func TestTwoBuildsAreEqual(t *testing.T) {
	tools := exec.CommandContext(t.Context(), "make", "release-tools")
	tools.Dir = harness.Root()
	if out, err := tools.CombinedOutput(); err != nil && os.Getenv("CI") != "true" {
		t.Skipf("what writes SBOMs cannot be installed: %v\n%s", err, out)
	}
	parent := t.TempDir()
	first, second := filepath.Join(parent, "a"), filepath.Join(parent, "somewhere", "else")
	build := "make release PLATFORMS='linux/amd64 windows/arm64'"
	copyTree(t, first)
	copyTree(t, second)
	command(t, first, []string{"SOURCE_DATE_EPOCH=1800000000"}, "sh", "-c", build)
	command(t, second, []string{
		"SOURCE_DATE_EPOCH=1800000000", "TZ=Pacific/Auckland", "GOCACHE=" + filepath.Join(parent, "cache"),
		"GOFLAGS=-buildvcs=false", "GOAMD64=v3",
	}, "sh", "-c", "umask 077; "+build)
	files, err := os.ReadDir(filepath.Join(first, "dist"))
	if err != nil || len(files) != 4 {
		t.Fatalf("dist has %v: %v", files, err)
	}
	for _, f := range files {
		one, _ := os.ReadFile(filepath.Join(first, "dist", f.Name()))
		other, err := os.ReadFile(filepath.Join(second, "dist", f.Name()))
		if err != nil || !bytes.Equal(one, other) {
			t.Errorf("%s: the two are not equal: %v", f.Name(), err)
		}
	}
	command(t, filepath.Join(first, "dist"), nil, "sha256sum", "-c", "SHA256SUMS")
	unpacked(t, first)
}

// unpacked checks what is in the archive for linux/amd64: programs that run, and what their SBOMs say.
func unpacked(t *testing.T, dir string) {
	t.Helper()
	command(t, dir, nil, "sh", "-c", "tar -xzf dist/cginit_*_linux_amd64.tar.gz --strip-components=1 --one-top-level=x")
	for _, name := range []string{"cginit", "cginitctl"} {
		var sbom struct {
			Components []struct{ Name, Version string }
		}
		text, err := os.ReadFile(filepath.Join(dir, "x", name+".cdx.json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &sbom); err != nil {
			t.Fatal(err)
		}
		names := map[string]bool{}
		for _, c := range sbom.Components {
			names[c.Name] = c.Version != ""
		}
		if !names["std"] || !names["golang.org/x/sys"] || strings.Contains(string(text), dir) {
			t.Errorf("%s: its SBOM has the components %v", name, names)
		}
	}
	if out := command(t, dir, nil, "x/cginit", "--version"); !strings.HasPrefix(out, "cginit ") {
		t.Errorf("cginit --version prints %q", out)
	}
}
