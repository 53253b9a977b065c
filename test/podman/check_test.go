package podman

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/beside"
	"github.com/cginit/cginit/test/internal/golden"
)

// TestCheck: what --check says in each kind of container.
func TestCheck(t *testing.T) {
	e := podman(t)
	for _, c := range levels {
		t.Run(c.name, func(t *testing.T) {
			golden.Check(t, strings.ReplaceAll(c.name, " ", "-"), e.Checks(t, c.opts).Logs())
		})
	}
}

// TestCheckIsRight: what it says is to be added is added, and gives what it had promised.
func TestCheckIsRight(t *testing.T) {
	e := podman(t)
	found := e.Found(t, nil)
	if found.Platform != "podman" || found.Ways[0].Platform != "podman" {
		t.Fatalf("it does not know where it is: %+v", found)
	}
	add := strings.Fields(found.Ways[0].Add)
	for _, l := range e.Found(t, add).Levels {
		if l.Level != found.Best {
			t.Errorf("with %v it says %v", add, l)
		}
	}
	e.Leftovers(t, found.Best, add, "")
}

// TestSideBySide: many jobs in one default container, ended one by one.
func TestSideBySide(t *testing.T) {
	e := podman(t)
	for name, site := range map[string]beside.Site{"tree": {Level: "tree"}, "uid": {Level: "uid", Own: true}} {
		t.Run(name, func(t *testing.T) {
			b := e.Beside(t, &site)
			site.Test(t, filepath.Join(b.Dir, "socket"))
			b.Wait()
		})
	}
}
