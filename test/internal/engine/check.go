package engine

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/cginit/cginit/test/internal/beside"
	"github.com/cginit/cginit/test/internal/harness"
)

// Found is the part of the output of --check --json that tests use.
type Found struct {
	Platform string
	Best     string
	Levels   []struct{ What, Level string }
	Ways     []struct{ Platform, Add string }
}

// Checks runs --check in a container that is made with opts.
func (e *Engine) Checks(t testing.TB, opts []string, flags ...string) *Box {
	t.Helper()
	b := e.Start(t, opts, append([]string{"--check"}, flags...)...)
	if status := b.Wait(); status != 0 {
		t.Errorf("--check ended with %d", status)
	}
	return b
}

// Found runs --check --json in a container that is made with opts, and returns its output.
func (e *Engine) Found(t testing.TB, opts []string) (f Found) {
	t.Helper()
	said := e.Checks(t, opts, "--json").Logs()
	if err := json.Unmarshal([]byte(said), &f); err != nil {
		t.Fatalf("the output of --check --json is not JSON: %v\n%s", err, said)
	}
	return f
}

// SiteConfig is the path in a container of the file with a site's jobs.
const SiteConfig = "/shared/cginit.yaml"

// Site returns a container that does not exist yet, and puts all that the site's jobs need into its
// /shared.
func (e *Engine) Site(t testing.TB, site *beside.Site) *Box {
	t.Helper()
	b := e.Box(t)
	site.Trees, site.Socket = "/shared/trees", "/shared/socket"
	copyFile(t, harness.Bin(t, "trees"), filepath.Join(b.Dir, "trees"))
	if err := os.WriteFile(filepath.Join(b.Dir, filepath.Base(SiteConfig)), []byte(site.Config()), 0o644); err != nil {
		t.Fatal(err)
	}
	return b
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err == nil {
		_, err = io.Copy(out, in)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}
