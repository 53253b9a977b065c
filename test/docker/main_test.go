// Package docker runs cginit in Docker containers: on a private dockerd that sees only cgroup v2, and
// on the machine's own if that is on cgroup v1.
package docker

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/cginit/cginit/test/internal/engine"
	"github.com/cginit/cginit/test/internal/harness"
)

// daemon is a dockerd that the suite has started, and the option that makes a container's cgroup
// writable.
type daemon struct {
	*engine.Engine
	writable []string
}

var (
	once    sync.Once
	private *daemon
)

func TestMain(m *testing.M) { engine.Main(m) }

// dockerd is a script that runs a daemon until its input ends. The cgroups of its containers are in one
// directory, which is removed at the end. The daemon has no bridge, because its containers need no
// network and the machine's bridge must not be touched.
const dockerd = `
echo '{}' >"$DIR/daemon.json"
dockerd --config-file "$DIR/daemon.json" --host "unix://$DIR/sock" --pidfile "$DIR/state/pid" \
	--data-root "$DIR/state/data" --exec-root "$DIR/state/exec" --bridge none --iptables=false \
	--exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/cginit-docker-$$" \
	--add-runtime "writable=$PWD/testdata/runc-writable" FLAGS &
cat >/dev/null
kill $!
wait $! || :
find "/sys/fs/cgroup/cginit-docker-$$" -depth -type d -exec rmdir {} \;
`

// v2 returns the private daemon, which the first test that needs it starts.
func v2(t *testing.T) *daemon {
	t.Helper()
	needDocker(t)
	harness.AsRoot(t)
	once.Do(func() {
		e := start(t, "")
		private = &daemon{Engine: e, writable: writable(t, e)}
	})
	if private == nil {
		t.Fatal("the daemon could not be started: see the first test")
	}
	return private
}

func needDocker(t *testing.T) {
	harness.Command(t, "docker")
	harness.Command(t, "dockerd")
}

// start starts a daemon with additional flags. It runs until the suite ends.
func start(t *testing.T, flags string) *engine.Engine {
	t.Helper()
	needDocker(t)
	view := engine.NewView(t, strings.Replace(dockerd, "FLAGS", flags, 1))
	e := &engine.Engine{
		Argv: []string{"docker"}, Env: []string{"DOCKER_HOST=unix://" + filepath.Join(view.Dir, "sock")},
		Image: "cginit-test", V2: view.Root() + "/sys/fs/cgroup",
	}
	view.Log.Until(t, "API listen on")
	e.ImportBase(t)
	return e
}

// writable returns the option for a container whose cgroup2 is writable. For a Docker before 28 it is
// the runtime in testdata, which does the same as writable-cgroups=true.
func writable(t *testing.T, e *engine.Engine) []string {
	version := e.Output(t, "version", "--format", "{{.Server.Version}}")
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err == nil && n >= 28 {
		return []string{"--security-opt", "writable-cgroups=true"}
	}
	return []string{"--runtime", "writable"}
}

// v1 returns the machine's own daemon, which must be on cgroup v1. The image that is made there is
// removed at the end.
func v1(t *testing.T) *engine.Engine {
	t.Helper()
	harness.AsRoot(t)
	e := &engine.Engine{Argv: []string{harness.Command(t, "docker")}}
	if version := e.Output(t, "info", "--format", "{{.CgroupVersion}}"); version != "1" {
		t.Skipf("the machine's docker is on cgroup v%s", version)
	}
	// Each test removes its own image, while others may run.
	e.Image = "cginit-test-" + strconv.Itoa(os.Getpid()) + "-" + strings.ToLower(t.Name())
	e.ImportBase(t)
	t.Cleanup(func() { e.Afterwards(t, "rmi", e.Image) })
	return e
}
