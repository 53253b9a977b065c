// Package levels tests the promises of the levels that need no writable cgroup.
package levels

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cginit/cginit/test/internal/beside"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

func TestMain(m *testing.M) { os.Exit(pod.Main(m)) }

// write makes a file in a directory that every user may use.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(pod.OpenDir(t), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestSideBySide ends jobs one by one. CGINIT_RUNS=20 is the whole proof.
func TestSideBySide(t *testing.T) {
	for name, c := range map[string]struct {
		spec pod.Spec
		site beside.Site
	}{
		"container":                          {pod.Spec{Mode: pod.NoCgroup}, beside.Site{Level: "tree"}},
		"container, own uids":                {pod.Spec{Mode: pod.NoCgroup}, beside.Site{Level: "uid", Own: true}},
		"ordinary user's host":               {pod.Spec{Mode: pod.Subreaper, UID: 54321}, beside.Site{Level: "tree"}},
		"container, sealed":                  {pod.Spec{Mode: pod.NoCgroup}, beside.Site{Level: "sealed", Sealed: true}},
		"ordinary user's host, sealed":       {pod.Spec{Mode: pod.Subreaper, UID: 54321}, beside.Site{Level: "sealed", Sealed: true}},
		"container, no subreaper":            {pod.Spec{Mode: pod.NoCgroup, NoSubreaper: true}, beside.Site{Level: "marked"}},
		"ordinary user's host, no subreaper": {pod.Spec{Mode: pod.Subreaper, UID: 54321, NoSubreaper: true}, beside.Site{Level: "marked"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := c.site
			if site.Own {
				harness.AsRoot(t)
			}
			site.Trees, site.Socket = harness.Bin(t, "trees"), filepath.Join(pod.OpenDir(t), "socket")
			c.spec.Args = []string{"--config", write(t, "cginit.yaml", site.Config())}
			p := pod.Start(t, c.spec)
			defer func() {
				if t.Failed() {
					t.Logf("cginit said: %s", p.Stderr())
				}
			}()
			site.Test(t, site.Socket)
			if err := p.Wait().Clean(); err != nil {
				t.Error(err)
			}
		})
	}
}
