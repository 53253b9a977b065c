package supervisor

import (
	"os"

	"golang.org/x/sys/unix"
)

// Feature is something of the kernel's that we use where it is there. It is tried, not
// concluded from a version: filters and other kernels answer as they like.
type Feature struct {
	Name  string `json:"name"`
	Works string `json:"works"` // yes, no, unknown (there is no cgroup to try it in)
	Why   string `json:"why,omitempty"`
	For   string `json:"for"`
}

const works, fails, untried = "yes", "no", "unknown"

func features(h *home) []Feature {
	tried := func(name, what string, err error) Feature {
		if err == nil {
			return Feature{Name: name, Works: works, For: what}
		}
		return Feature{Name: name, Works: fails, Why: err.Error(), For: what}
	}
	return []Feature{
		cloneFeature(h),
		fileFeature(h, "cgroup.kill", "kills all of a job in one call (Linux 5.14)"),
		fileFeature(h, "cgroup.freeze", "a job holds still while it is listed (Linux 5.2)"),
		tried("clone3", "the call by which a process is born in its cgroup (Linux 5.7)", tryClone3()),
		tried("pidfd_open", "a process that cannot be mistaken for another (Linux 5.3)", tryPidfd()),
		tried("close_range", "no descriptor of ours is left to a job (Linux 5.9)", unix.CloseRange(farFD, farFD, 0)),
		tried("subreaper", "orphans come to who holds them (Linux 3.4)", unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)),
	}
}

// farFD is a descriptor that is not open.
const farFD = 1 << 30

// cloneFeature: without it a job's first process moves into its cgroup before it executes.
func cloneFeature(h *home) Feature {
	f := Feature{Name: "clone into a cgroup", Works: untried, For: "a process is born in its cgroup, and need not move there"}
	if h.level == LevelCgroup {
		f.Works = fails
		if h.clones {
			f.Works = works
		}
	}
	return f
}

// fileFeature looks for one of the files that every cgroup but the root of all has.
func fileFeature(h *home, file, what string) Feature {
	dir := h.jobs
	if dir == "" {
		dir = h.own
	}
	f := Feature{Name: file, Works: untried, For: what}
	if dir != "" {
		f.Works = fails
		if exists(string(dir) + "/" + file) {
			f.Works = works
		}
	}
	return f
}

// tryClone3 gives too few arguments for a process to come of it: EINVAL is the kernel's answer.
func tryClone3() error {
	if _, _, errno := unix.RawSyscall(unix.SYS_CLONE3, 0, 0, 0); errno != unix.EINVAL {
		return errno
	}
	return nil
}

func tryPidfd() error {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err == nil {
		err = unix.Close(fd)
	}
	return err
}
