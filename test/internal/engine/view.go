package engine

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/cginit/cginit/internal/afresh"
	"github.com/cginit/cginit/test/internal/harness"
)

// View is a mount and network namespace for an engine. Its /sys/fs/cgroup is only cgroup v2, as on
// current distributions, and the engine's state is in memory and private. The view ends with the test,
// however the test ends, because its shell waits for the end of a pipe that the test holds.
type View struct {
	Dir string // the same directory inside and outside
	Log Transcript

	cmd   *exec.Cmd
	stdin io.Closer
}

// view leaves an existing cgroup2 mount alone: to mount it again would change its flags for the whole
// machine.
const view = `set -e
[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || {
	umount -R /sys/fs/cgroup
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
}
trap 'umount -l "$DIR/state"; rm -rf "$DIR"' EXIT
mkdir -p "$DIR/state" /var/lib/containers
for dir in "$DIR/state" /run /dev/shm /var/lib/containers; do
	mount -t tmpfs -o mode=0755 tmpfs "$dir"
done
`

var views []*View

// Main runs a suite's tests and then closes its views. A suite that leaves something fails.
func Main(m *testing.M) {
	status := afresh.Main(m)
	for _, v := range views {
		if err := v.close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			status = 1
		}
	}
	os.Exit(status)
}

// NewView makes a view in which script runs. The script prints "up" when it is ready, and ends when its
// standard input ends. The view stays until [Main] ends.
func NewView(t testing.TB, script string) *View {
	t.Helper()
	harness.AsRoot(t)
	dir, err := os.MkdirTemp("", "cginit-view-")
	if err != nil {
		t.Fatal(err)
	}
	v := &View{Dir: dir}
	v.cmd = exec.Command("unshare", "--mount", "--net", "sh", "-c", view+script)
	v.cmd.Env = append(os.Environ(), "DIR="+dir)
	v.cmd.Stdout, v.cmd.Stderr = &v.Log, &v.Log
	v.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	v.cmd.WaitDelay = time.Second
	if v.stdin, err = v.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := v.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	views = append(views, v)
	return v
}

// Pid returns the pid of the view's shell, for nsenter.
func (v *View) Pid() string { return strconv.Itoa(v.cmd.Process.Pid) }

// Root returns the view's / as a path for this process.
func (v *View) Root() string { return "/proc/" + v.Pid() + "/root" }

// close ends the view. It returns an error if the view or its engine has left something.
func (v *View) close() error {
	namespace, err := os.Readlink("/proc/" + v.Pid() + "/ns/mnt")
	if err != nil {
		return fmt.Errorf("the view ended too early: %w\n%s", err, &v.Log)
	}
	v.stdin.Close()
	late := time.AfterFunc(Patience, func() { _ = syscall.Kill(-v.cmd.Process.Pid, syscall.SIGKILL) })
	err = v.cmd.Wait()
	late.Stop()
	left := inside(namespace)
	for end := time.Now().Add(leaving); len(left) > 0 && time.Now().Before(end); left = inside(namespace) {
		<-time.After(10 * time.Millisecond)
	}
	for _, proc := range left {
		_ = syscall.Kill(proc.pid, syscall.SIGKILL)
		err = fmt.Errorf("the engine left %s", proc)
	}
	if _, gone := os.Stat(v.Dir); gone == nil {
		err = fmt.Errorf("the view left %s", v.Dir)
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, &v.Log)
	}
	return nil
}

// leaving is how long an engine's helpers, which nothing waits for, may outlive it.
const leaving = 10 * time.Second

// inside returns the processes in a mount namespace.
func inside(namespace string) (found []process) {
	for _, proc := range processes() {
		if held, _ := os.Readlink(filepath.Join(proc.dir, "ns/mnt")); held == namespace {
			found = append(found, proc)
		}
	}
	return found
}
