package podman

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/beside"
	"github.com/cginit/cginit/test/internal/engine"
	"github.com/cginit/cginit/test/internal/golden"
	"github.com/cginit/cginit/test/internal/harm"
)

// TestCheck compares the output of --check in each kind of container with testdata.
func TestCheck(t *testing.T) {
	e := podman(t)
	for _, c := range levels {
		t.Run(c.name, func(t *testing.T) {
			golden.Check(t, strings.ReplaceAll(c.name, " ", "-"), e.Checks(t, c.opts).Logs())
		})
	}
}

// TestCheckIsRight adds what --check advises. Then --check must report the level that it has promised,
// and a job must get it.
func TestCheckIsRight(t *testing.T) { checkIsRight(t, podman(t)) }

// TestCheckIsRightInPod is TestCheckIsRight in a pod.
func TestCheckIsRightInPod(t *testing.T) {
	e := *podman(t)
	b := e.Box(t)
	e.Output(t, "pod", "create", "--name", b.Name, "--network", "none")
	t.Cleanup(func() { e.Afterwards(t, "pod", "rm", "--force", b.Name) })
	e.Run = []string{"--pod", b.Name}
	checkIsRight(t, &e)
}

func checkIsRight(t *testing.T, e *engine.Engine) {
	t.Helper()
	found := e.Found(t, nil)
	if found.Platform != "podman" || found.Ways[0].Platform != "podman" {
		t.Fatalf("--check does not name podman as its platform: %+v", found)
	}
	add := strings.Fields(found.Ways[0].Add)
	for _, l := range e.Found(t, add).Levels {
		if l.Level != found.Best {
			t.Errorf("with %v --check reports %v", add, l)
		}
	}
	e.Leftovers(t, found.Best, add, "")
}

// TestSideBySide ends many jobs one by one, in one default container and in one of a default pod.
func TestSideBySide(t *testing.T) {
	e := podman(t)
	for where, begin := range map[string]func(*testing.T, *engine.Box){
		"container": func(_ *testing.T, b *engine.Box) { b.Begin(nil, "--config", engine.SiteConfig) },
		"pod":       beginInPod,
	} {
		for name, site := range map[string]beside.Site{
			"tree": {Level: "tree"}, "uid": {Level: "uid", Own: true}, "sealed": {Level: "sealed", Sealed: true},
		} {
			t.Run(where+"/"+name, func(t *testing.T) {
				b := e.Site(t, &site)
				begin(t, b)
				site.Test(t, filepath.Join(b.Dir, "socket"))
				b.Wait()
			})
		}
	}
}

// site is the manifest of a default pod with the jobs of a site.
const site = `
apiVersion: v1
kind: Pod
metadata: {name: POD}
spec:
  restartPolicy: Never
  containers:
    - name: site
      image: localhost/IMAGE
      imagePullPolicy: Never
      command: [/usr/bin/cginit, --config, CONFIG]
      env: [{name: MARK, value: MARKED}]
      volumeMounts: [{name: shared, mountPath: /shared}]
  volumes:
    - {name: shared, hostPath: {path: DIR, type: Directory}}
`

// beginInPod makes the container as the only one of a Kubernetes pod.
func beginInPod(t *testing.T, b *engine.Box) {
	t.Helper()
	text := strings.NewReplacer("POD", b.Name, "IMAGE", b.Image, "CONFIG", engine.SiteConfig, "MARKED", b.Mark, "DIR", b.Dir).Replace(site)
	file := filepath.Join(t.TempDir(), "site.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Afterwards(t, "play", "kube", "--down", file) })
	b.Output(t, "play", "kube", "--network", "none", file)
	b.Name += "-site"
}

// TestHostile runs a hostile sealed job in a default container and in a default pod. CGINIT_RUNS=20 is the whole
// proof.
func TestHostile(t *testing.T) {
	e := podman(t)
	for where, begin := range map[string]func(*testing.T, *engine.Box){
		"container": func(_ *testing.T, b *engine.Box) { b.Begin(nil, "--config", engine.SiteConfig) },
		"pod":       beginInPod,
	} {
		t.Run(where, func(t *testing.T) {
			for range beside.Runs(t) {
				e.Hostile(t, "sealed", func(b *engine.Box) { begin(t, b) }, harm.Always...)
			}
		})
	}
}
