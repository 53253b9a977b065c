package pod

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cginit/cginit/test/internal/harness"
	"golang.org/x/sys/unix"
)

// prefix begins the name of the directory that holds the cgroups of one test binary. Its pid ends the
// name.
const prefix = "cginit-test."

var (
	count atomic.Int64
	top   = sync.OnceValues(makeTop) // removed by RemoveTop
	cpu   = sync.OnceValue(makeCPU)  // removed by RemoveTop
)

// makeTop makes the directory for the cgroups of this test binary below our own cgroup.
func makeTop() (string, error) {
	own, err := ownCgroup()
	if err != nil {
		return "", err
	}
	return makeIn(own)
}

// makeCPU makes such a directory for cgroup v1's cpu controller. It returns an empty path where that is
// not mounted or not permitted.
func makeCPU() string {
	if os.Geteuid() != 0 {
		return ""
	}
	dir, err := makeIn("/sys/fs/cgroup/cpu")
	if err != nil {
		return ""
	}
	return dir
}

// makeIn makes the directory in parent, and removes those of test binaries that were killed.
func makeIn(parent string) (dir string, err error) {
	stale, _ := filepath.Glob(filepath.Join(parent, prefix+"*"))
	for _, dir := range stale {
		pid, _ := strconv.Atoi(strings.TrimPrefix(filepath.Base(dir), prefix))
		if unix.Kill(pid, 0) == unix.ESRCH {
			_ = remove(dir)
		}
	}
	dir = filepath.Join(parent, prefix+strconv.Itoa(os.Getpid()))
	return dir, os.Mkdir(dir, 0o755)
}

// SharesCPU returns whether a pod that uses all of its CPU leaves some for the processes outside.
func SharesCPU() bool { return cpu() != "" }

// ownCgroup returns the directory of our own cgroup2.
func ownCgroup() (string, error) {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	_, path, _ := strings.Cut("\n"+string(own), "\n0::")
	path, _, _ = strings.Cut(path, "\n")
	for _, mount := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		var info unix.Statfs_t
		if unix.Statfs(mount, &info) == nil && info.Type == unix.CGROUP2_SUPER_MAGIC {
			return filepath.Join(mount, path), nil
		}
	}
	return "", fmt.Errorf("there is no cgroup2 mount")
}

// makeCgroup makes the container's cgroup. For an ordinary user it returns an empty path.
func makeCgroup(t testing.TB) string {
	t.Helper()
	if os.Geteuid() != 0 {
		return ""
	}
	dir, err := top()
	check(t, err)
	dir = filepath.Join(dir, strconv.FormatInt(count.Add(1), 10))
	check(t, os.Mkdir(dir, 0o755))
	return dir
}

// Box is the cgroup of a command that is not a pod.
type Box struct{ cgroup string }

// Enclose puts a command that is about to be started into a cgroup of its own. Processes that are left
// in it are killed when the test ends.
func Enclose(t testing.TB, cmd *exec.Cmd) Box {
	t.Helper()
	harness.AsRoot(t)
	path := makeCgroup(t)
	dir := openDir(t, path)
	t.Cleanup(func() {
		dir.Close()
		check(t, remove(path))
	})
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(dir.Fd())
	return Box{path}
}

// Processes returns the processes in the cgroup.
func (b Box) Processes() (all []Process) {
	for _, pid := range pidsBelow(b.cgroup) {
		if p, ok := read(pid); ok {
			all = append(all, p)
		}
	}
	return all
}

// Clean returns an error that names everything that is left in the cgroup.
func (b Box) Clean() error {
	r := Result{Cgroups: below(b.cgroup)[1:]}
	for _, p := range b.Processes() {
		r.Alive = append(r.Alive, describe(p.Pid))
	}
	return r.Clean()
}

// RemoveTop removes the directories for the cgroups of this test binary. TestMain calls it.
func RemoveTop() {
	if count.Load() > 0 {
		dir, _ := top()
		must("remove the tests' cgroup", remove(dir))
		if dir := cpu(); dir != "" {
			must("remove the tests' cpu cgroup", remove(dir))
		}
	}
}

// clear kills all processes that are left in the pod and removes its cgroup.
func (p *Pod) clear() {
	p.once.Do(func() {
		if p.cgroup != "" {
			if err := remove(p.cgroup); err != nil {
				p.t.Errorf("the container's cgroup cannot be removed: %v\n%s", err, p.describe())
			}
		} else if p.result == nil {
			_ = p.process.Process.Kill()
		}
	})
}

// remove kills the processes in a cgroup and removes it, as runc does with the cgroup of a container.
func remove(dir string) error {
	_ = os.WriteFile(filepath.Join(dir, "cgroup.kill"), []byte("1"), 0)
	for _, pid := range pidsBelow(dir) { // cgroup.kill leaves those whose first thread has ended
		_ = unix.Kill(pid, unix.SIGKILL)
	}
	var err error
	for end := time.Now().Add(Patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		err = nil
		for _, d := range slices.Backward(below(dir)) {
			if e := unix.Rmdir(d); e != nil && e != unix.ENOENT {
				err = fmt.Errorf("%s: %w", d, e)
			}
		}
		if err == nil {
			return nil
		}
	}
	return err
}

// below returns dir and all cgroups in it, parents first.
func below(dir string) (dirs []string) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return nil
	})
	return dirs
}

// pidsBelow returns the processes in a cgroup and in all cgroups below it, without zombies.
func pidsBelow(dir string) (pids []int) {
	for _, d := range below(dir) {
		text, _ := os.ReadFile(filepath.Join(d, "cgroup.procs"))
		for field := range strings.FieldsSeq(string(text)) {
			if pid, err := strconv.Atoi(field); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// describe lists the processes of the pod, for the message of a test that timed out.
func (p *Pod) describe() string {
	text := ""
	for i, pid := range pidsBelow(p.cgroup) {
		if i == 20 {
			return text + "and more\n"
		}
		text += describe(pid) + "\n"
	}
	return text
}

// Cgroups returns the directory of the pod's cgroup and those below it, parents first.
func (p *Pod) Cgroups() []string { return below(p.cgroup) }
