package docker

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/beside"
	"github.com/cginit/cginit/test/internal/engine"
	"github.com/cginit/cginit/test/internal/golden"
	"github.com/cginit/cginit/test/internal/harm"
)

// TestCheck compares the output of --check in each kind of container with testdata.
func TestCheck(t *testing.T) {
	d := v2(t)
	for name, opts := range map[string][]string{
		"default":   nil,
		"writable":  d.writable,
		"sys-admin": {"--cap-add", "SYS_ADMIN"},
		"any-user":  append([]string{"--user", "12345"}, d.writable...),
		"init":      {"--init", "--read-only"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden.Check(t, name, d.Checks(t, opts).Logs())
		})
	}
}

func TestCheckOnCgroupV1(t *testing.T) {
	t.Parallel()
	golden.Check(t, "v1", v1(t).Checks(t, nil).Logs())
}

// TestCheckIsRight adds what --check advises. Then --check must report the level that it has promised,
// and a job must get it.
func TestCheckIsRight(t *testing.T) {
	t.Parallel()
	d := v2(t)
	found := d.Found(t, nil)
	if found.Platform != "docker" || found.Ways[0].Platform != "docker" {
		t.Fatalf("--check does not name docker as its platform: %+v", found)
	}
	add := strings.Fields(found.Ways[0].Add)
	if d.writable[0] == "--runtime" && slices.Equal(add, []string{"--security-opt", "writable-cgroups=true"}) {
		add = d.writable // stands in for an option of Docker 28
	}
	// The second way is the one that it names for older versions of Docker.
	for _, opts := range [][]string{add, {"--cap-add", "SYS_ADMIN"}} {
		for _, l := range d.Found(t, opts).Levels {
			if l.Level != found.Best {
				t.Errorf("with %v --check reports %v", opts, l)
			}
		}
		d.Leftovers(t, found.Best, opts, "")
	}
}

// TestSideBySide ends many jobs in one default container, one by one.
func TestSideBySide(t *testing.T) {
	d := v2(t)
	for name, site := range map[string]beside.Site{
		"tree": {Level: "tree"}, "uid": {Level: "uid", Own: true}, "sealed": {Level: "sealed", Sealed: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := d.Site(t, &site)
			b.Begin(nil, "--config", engine.SiteConfig)
			site.Test(t, filepath.Join(b.Dir, "socket"))
			b.Wait()
		})
	}
}

// TestHostile runs a hostile sealed job in default containers, as root and as another user, and with a writable
// cgroup. CGINIT_RUNS=20 is the whole proof.
func TestHostile(t *testing.T) {
	d := v2(t)
	for name, c := range map[string]struct {
		opts  []string
		level string
		must  []string
	}{
		"root":            {nil, "sealed", harm.Always},
		"any user":        {[]string{"--user", "1000"}, "sealed", harm.Always},
		"writable cgroup": {d.writable, "cgroup", slices.Concat(harm.Always, harm.WithCgroups)},
	} {
		t.Run(name, func(t *testing.T) {
			for range beside.Runs(t) {
				begin := func(b *engine.Box) { b.Begin(c.opts, "--config", engine.SiteConfig) }
				d.Hostile(t, c.level, begin, c.must...)
			}
		})
	}
}
