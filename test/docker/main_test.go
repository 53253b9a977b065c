// Package docker runs cginit in Docker containers: on a private dockerd that sees pure cgroup
// v2, and on the machine's own where that is still on cgroup v1.
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

// daemon is a dockerd of our own, and the option that makes a container's cgroup writable.
type daemon struct {
	*engine.Engine
	writable []string
}

var (
	once    sync.Once
	private *daemon
)

func TestMain(m *testing.M) { engine.Main(m) }

// The cgroups of the daemon's containers stay in a directory that is removed at the end. The
// daemon has no bridge: containers need no network, and its own may not be touched.
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

// v2 is the private daemon, started for the first test that needs it.
func v2(t *testing.T) *daemon {
	t.Helper()
	needDocker(t)
	harness.AsRoot(t)
	once.Do(func() {
		e := start(t, "")
		private = &daemon{Engine: e, writable: writable(t, e)}
	})
	if private == nil {
		t.Fatal("there is no daemon, see the first test")
	}
	return private
}

func needDocker(t *testing.T) {
	harness.Command(t, "docker")
	harness.Command(t, "dockerd")
}

// start starts a daemon with more flags; it stays until the suite ends.
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

// writable is the option for a container whose cgroup2 is writable. The runtime of testdata
// does for older daemons exactly what writable-cgroups=true does since Docker 28.
func writable(t *testing.T, e *engine.Engine) []string {
	version := e.Output(t, "version", "--format", "{{.Server.Version}}")
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err == nil && n >= 28 {
		return []string{"--security-opt", "writable-cgroups=true"}
	}
	return []string{"--runtime", "writable"}
}

// v1 is the machine's own daemon, which must be on cgroup v1: what is made there is removed.
func v1(t *testing.T) *engine.Engine {
	t.Helper()
	harness.AsRoot(t)
	e := &engine.Engine{Argv: []string{harness.Command(t, "docker")}}
	if version := e.Output(t, "info", "--format", "{{.CgroupVersion}}"); version != "1" {
		t.Skipf("the machine's docker is on cgroup v%s", version)
	}
	e.Image = "cginit-test-" + strconv.Itoa(os.Getpid())
	e.ImportBase(t)
	t.Cleanup(func() { e.Afterwards(t, "rmi", e.Image) })
	return e
}
