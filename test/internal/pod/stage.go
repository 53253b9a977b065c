package pod

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// Executed under one of these names, the test binary is the first process of a container, or the parent
// of a cginit that is not process 1.
const stageName, shimName = "pod-stage", "pod-shim"

func init() {
	switch os.Args[0] {
	case stageName:
		runtime.LockOSThread() // namespaces and capabilities belong to the thread
		must("stage", parse().enter())
	case shimName:
		must("shim", parse().shim())
		os.Exit(0)
	}
}

// stage is the JSON argument of the test binary when it runs under one of those names.
type stage struct {
	Args, Env, Tmpfs []string

	CPU, Dir, Proc string
	UID            int
	ReadOnly, Bare bool
	NoSubreaper    bool
}

func parse() (s stage) {
	must("read its arguments", json.Unmarshal([]byte(os.Args[1]), &s))
	return s
}

func must(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "pod: %s: %v\n", what, err)
		os.Exit(99)
	}
}

// container returns the namespaces that a container runtime makes. Uids is how many uids its user
// namespace maps. If it is 0, there is a user namespace only if this process is not root.
func container(uids int) *syscall.SysProcAttr {
	sys := &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC,
		// It is unshared in the child, so that its root is the cgroup that the child was born in.
		Unshareflags: unix.CLONE_NEWCGROUP,
	}
	if uid := os.Geteuid(); uid != 0 || uids > 0 {
		sys.Cloneflags |= unix.CLONE_NEWUSER
		sys.UidMappings = []syscall.SysProcIDMap{{HostID: uid, Size: max(uids, 1)}}
		sys.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: max(uids, 1)}}
		sys.GidMappingsEnableSetgroups = uid == 0
	}
	return sys
}

// shareCPU puts the process into a cgroup that gives all pods together as much of the CPU as the tests
// have, as a container runtime does. So a fork bomb starves nothing outside. Without it the kernel
// divides the CPU by sessions, and a job can make any number of these.
func (s stage) shareCPU() error {
	if s.CPU == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(s.CPU, "cgroup.procs"), []byte("0"), 0)
}

// enter sets up the inside of the container and executes cginit.
func (s stage) enter() error {
	if err := s.shareCPU(); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := unix.Sethostname([]byte("pod")); err != nil {
		return err
	}
	if err := s.mountProc(); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if err := s.mountCgroup("/sys/fs/cgroup"); err != nil {
		return fmt.Errorf("mount cgroup2: %w", err)
	}
	for _, dir := range s.Tmpfs {
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=0755"); err != nil {
			return fmt.Errorf("mount %s: %w", dir, err)
		}
	}
	if s.NoSubreaper {
		if err := refuseSubreapers(); err != nil {
			return fmt.Errorf("filter prctl: %w", err)
		}
	}
	if s.ReadOnly {
		if err := dropCapabilities(); err != nil {
			return err
		}
	}
	if err := os.Chdir(s.Dir); err != nil {
		return err
	}
	return unix.Exec(s.Args[0], s.Args, s.Env)
}

// mountProc covers the host's /proc with that of the container.
func (s stage) mountProc() error {
	if s.Proc == "none" {
		return unix.Mount("tmpfs", "/proc", "tmpfs", 0, "")
	}
	return unix.Mount("proc", "/proc", "proc", 0, s.Proc)
}

// mountCgroup replaces the host's cgroup mounts, so that the container looks as on a host that has only
// cgroup2. In a user namespace the host's mounts cannot be removed, only covered.
func (s stage) mountCgroup(at string) error {
	for unix.Unmount(at, unix.MNT_DETACH) == nil {
	}
	if s.Bare {
		return nil
	}
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := unix.Mount("cgroup", at, "cgroup2", flags, ""); err != nil || !s.ReadOnly {
		return err
	}
	return unix.Mount("", at, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY|flags, "")
}

// kept are the capabilities that Docker leaves a container.
var kept = []uintptr{
	unix.CAP_CHOWN, unix.CAP_DAC_OVERRIDE, unix.CAP_FSETID, unix.CAP_FOWNER, unix.CAP_MKNOD, unix.CAP_NET_RAW,
	unix.CAP_SETGID, unix.CAP_SETUID, unix.CAP_SETFCAP, unix.CAP_SETPCAP, unix.CAP_NET_BIND_SERVICE,
	unix.CAP_SYS_CHROOT, unix.CAP_KILL, unix.CAP_AUDIT_WRITE,
}

// dropCapabilities reduces the bounding set. The exec by root then reduces the effective set to it.
func dropCapabilities() error {
	for c := range uintptr(unix.CAP_LAST_CAP + 1) {
		if slices.Contains(kept, c) {
			continue
		}
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil && err != unix.EINVAL {
			return fmt.Errorf("drop capability %d: %w", c, err)
		}
	}
	return nil
}
