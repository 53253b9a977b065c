package docker

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/beside"
	"github.com/cginit/cginit/test/internal/engine"
	"github.com/cginit/cginit/test/internal/golden"
)

// TestCheck: what --check says in each kind of container.
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

// TestCheckIsRight: what it says is to be added is added, and then it says, and gives, what it
// had promised.
func TestCheckIsRight(t *testing.T) {
	t.Parallel()
	d := v2(t)
	found := d.Found(t, nil)
	if found.Platform != "docker" || found.Ways[0].Platform != "docker" {
		t.Fatalf("it does not know where it is: %+v", found)
	}
	add := strings.Fields(found.Ways[0].Add)
	if d.writable[0] == "--runtime" && slices.Equal(add, []string{"--security-opt", "writable-cgroups=true"}) {
		add = d.writable // a stand-in for Docker 28
	}
	for _, opts := range [][]string{add, {"--cap-add", "SYS_ADMIN"}} { // and what it says of older ones
		for _, l := range d.Found(t, opts).Levels {
			if l.Level != found.Best {
				t.Errorf("with %v it says %v", opts, l)
			}
		}
		d.Leftovers(t, found.Best, opts, "")
	}
}

// TestSideBySide: many jobs in one default container, ended one by one.
func TestSideBySide(t *testing.T) {
	d := v2(t)
	for name, site := range map[string]beside.Site{"tree": {Level: "tree"}, "uid": {Level: "uid", Own: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := d.Site(t, &site)
			b.Begin(nil, "--config", engine.SiteConfig)
			site.Test(t, filepath.Join(b.Dir, "socket"))
			b.Wait()
		})
	}
}
