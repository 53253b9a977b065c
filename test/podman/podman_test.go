// Package podman runs cginit in Podman containers on pure cgroup v2.
package podman

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cginit/cginit/test/internal/engine"
	"github.com/cginit/cginit/test/internal/harness"
)

// config turns off limits that podman sets by default and a machine may not be able to give: pids,
// where cgroup v2 has no such controller, and more open files than the machine's hard limit. The tests
// need neither.
const config = `
[containers]
pids_limit = 0
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
`

const script = `
echo up
cat >/dev/null
find "/sys/fs/cgroup/cginit-podman-$$" -depth -type d -exec rmdir {} \;
[ ! -d /sys/fs/cgroup/libpod_parent ] || rmdir /sys/fs/cgroup/libpod_parent/* /sys/fs/cgroup/libpod_parent 2>/dev/null || : # of pods, if nobody else's
`

var (
	once  sync.Once
	view  *engine.View
	ready bool
)

func TestMain(m *testing.M) { engine.Main(m) }

// podman returns a podman that runs in a view of its own, where it keeps all of its state.
func podman(t *testing.T) *engine.Engine {
	t.Helper()
	path, nsenter := harness.Command(t, "podman"), harness.Command(t, "nsenter")
	harness.Command(t, "runc")
	harness.AsRoot(t)
	once.Do(func() { view = engine.NewView(t, script) })
	if view == nil {
		t.Fatal("the view could not be made: see the first test")
	}
	conf := filepath.Join(view.Dir, "containers.conf")
	e := &engine.Engine{
		Argv: []string{
			nsenter, "--target", view.Pid(), "--mount", "--net", path, "--storage-driver", "vfs",
			"--root", view.Dir + "/state/root", "--runroot", view.Dir + "/state/run",
		},
		Env:   []string{"CONTAINERS_CONF=" + conf},
		Run:   []string{"--cgroup-parent", "/cginit-podman-" + view.Pid()},
		Image: "cginit-test",
		V2:    view.Root() + "/sys/fs/cgroup",
	}
	if !ready {
		view.Log.Until(t, "up\n")
		configure(t, conf, e.Run[1])
		e.ImportBase(t)
		ready = true
	}
	return e
}

// runc is an OCI runtime for pods whose cgroups podman makes itself (no systemd, Podman 4.3). No
// process below such a cgroup may open a device, not even /dev/null. So this script runs runc with the
// cgroup of each container beside that of its pod.
const runc = `#!/bin/sh
for arg; do
	[ "$prev" = --bundle ] && sed -i -E 's|("cgroupsPath": ?")/libpod_parent/[^/"]*/|\1PARENT/|' "$arg/config.json"
	prev=$arg
done
exec runc "$@"
`

// configure writes the configuration of podman.
func configure(t *testing.T, conf, parent string) {
	t.Helper()
	program := filepath.Join(view.Dir, "runc")
	err := errors.Join(
		os.WriteFile(program, []byte(strings.ReplaceAll(runc, "PARENT", parent)), 0o755),
		os.WriteFile(conf, []byte(config+"[engine.runtimes]\nrunc = [\""+program+"\"]\n"), 0o644),
	)
	if err != nil {
		t.Fatal(err)
	}
}

// levels are the kinds of container. Podman needs no privileges for a writable cgroup: a container may
// unmask its own.
var levels = []struct {
	name, level string
	opts        []string
}{
	{"default", "pidns", nil},
	{"unmasked cgroup", "cgroup", []string{"--security-opt", "unmask=/sys/fs/cgroup"}},
}

func TestLevels(t *testing.T) {
	e := podman(t)
	for _, c := range levels {
		t.Run(c.name, func(t *testing.T) { e.Leftovers(t, c.level, c.opts, "") })
	}
	t.Run("unmasked cgroup, no capabilities, read-only root", func(t *testing.T) {
		e.Leftovers(t, "cgroup", append([]string{"--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only"}, levels[1].opts...), "")
	})
	t.Run("not process 1", func(t *testing.T) { e.Leftovers(t, "tree", []string{"--init"}, "") })
}

func TestInitPath(t *testing.T) { podman(t).IsInit(t, "--init-path", harness.Bin(t, "cginit")) }

func TestRequire(t *testing.T) {
	e := podman(t)
	b := e.Start(t, nil, "--require", "cgroup", "--", "true")
	if status, logs := b.Wait(), b.Logs(); status != 125 || !strings.Contains(logs, "--security-opt unmask=/sys/fs/cgroup") {
		t.Errorf("--require cgroup ended with status %d and said:\n%s", status, logs)
	}
	b = e.Start(t, levels[1].opts, "--require", "cgroup", "--", "true")
	if status := b.Wait(); status != 0 {
		t.Errorf("--require cgroup ended with status %d where it can be met", status)
	}
}

// TestStop checks that cginit kills a command that ignores SIGTERM before podman has to.
func TestStop(t *testing.T) {
	e := podman(t)
	for _, c := range levels {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b, said, err := stop(t, e, c.opts)
			// cginit leaves podman a second to see the end. On a busy machine that may not be enough,
			// so try again.
			for again := 2; again > 0 && strings.Contains(said, "SIGKILL"); again-- {
				b, said, err = stop(t, e, c.opts)
			}
			if err != nil || strings.Contains(said, "SIGKILL") {
				t.Fatalf("podman had to kill the container, %v: %s", err, said)
			}
			if status := b.Wait(); status != 137 {
				t.Errorf("the container ended with %d", status)
			}
			if r := b.Receipt(); r.Cause != "stopped" || r.Signal != "SIGKILL" || r.Killed == 0 || r.Containment != c.level {
				t.Errorf("the receipt is wrong: %+v", r)
			}
		})
	}
}

// stop stops a container that ignores SIGTERM, and returns the output of podman stop.
func stop(t *testing.T, e *engine.Engine, opts []string) (b *engine.Box, said string, err error) {
	t.Helper()
	b = e.Start(t, opts, "--", "sh", "-c", `trap "" TERM; echo up; while :; do sleep 1; done`)
	b.Says("up")
	b.Alive(2)
	out, err := b.Command(t, "stop", b.Name).CombinedOutput()
	return b, string(out), err
}

func TestExecAndSignals(t *testing.T) {
	e := podman(t)
	for _, c := range levels {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := e.Start(t, c.opts, "--", "sh", "-c", `trap "echo got-usr1" USR1; trap "exit 4" TERM; echo up; while :; do usleep 10000; done`)
			b.Says("up")
			if said := b.Exec("echo", "hello"); said != "hello" {
				t.Errorf("exec said %q", said)
			}
			b.Output(t, "exec", "--detach", b.Name, "sleep", "1002")
			b.Runs("sleep 1002")
			b.Output(t, "kill", "--signal", "USR1", b.Name)
			b.Says("got-usr1")
			b.Output(t, "stop", b.Name)
			if status := b.Wait(); status != 4 {
				t.Errorf("the container ended with %d", status)
			}
		})
	}
}
