package host

import (
	"fmt"
	"os"

	"github.com/cginit/cginit/init/hold"
	"github.com/cginit/cginit/init/seal"
	"github.com/cginit/cginit/internal/self"
	"golang.org/x/sys/unix"
)

// Feature is something of the kernel that we use where it works. Each is tried, because filters and
// other kernels do not tell by their version.
type Feature struct {
	Name string `json:"name"`
	// Works is "yes", "no", or "unknown" if there is no cgroup to try it in.
	Works string `json:"works"`
	// Why is the reason for "no". For says what the feature is used for.
	Why string `json:"why,omitempty"`
	For string `json:"for"`
}

// The values of Feature.Works.
const featureWorks, featureFails, featureUntried = "yes", "no", "unknown"

// features returns all features, tried one after the other.
func features(h *hold.Home) []Feature {
	emulated := ""
	if emulator := self.Emulator(); emulator != "" {
		emulated = " (emulated by " + emulator + ")"
	}
	tried := func(name, what string, err error) Feature {
		if err == nil {
			return Feature{Name: name, Works: featureWorks, For: what}
		}
		return Feature{Name: name, Works: featureFails, Why: err.Error() + emulated, For: what}
	}
	return []Feature{
		cloneFeature(h),
		fileFeature(h, "cgroup.kill", "kills all of a job in one call (Linux 5.14)"),
		fileFeature(h, "cgroup.freeze", "a job holds still while it is listed (Linux 5.2)"),
		tried("clone3", "the call by which a process is born in its cgroup (Linux 5.7)", tryClone3()),
		tried("pidfd_open", "a process that cannot be mistaken for another (Linux 5.3)", tryPidfd()),
		tried("close_range", "no descriptor of ours is left to a job (Linux 5.9)", unix.CloseRange(farFD, farFD, 0)),
		landlockFeature(emulated),
		tried("subreaper", "orphans come to who holds them (Linux 3.4)", unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)),
	}
}

// landlockFeature tells what a seal can do here.
func landlockFeature(emulated string) Feature {
	f := Feature{Name: "Landlock", Works: featureFails, For: "seals a job: it signals and traces no other, and keeps off the cgroup tree (Linux 6.12)"}
	version, err := seal.Version()
	switch {
	case err != nil:
		f.Why = err.Error() + emulated
	case !seal.HoldsSignals():
		f.Why = fmt.Sprintf("version %d holds no signals, the rest works", version)
	default:
		f.Works = featureWorks
	}
	return f
}

// farFD is the number of a descriptor that is not open.
const farFD = 1 << 30

// cloneFeature tells whether the first process of a job is forked into its cgroup. If not, it joins
// the cgroup before the exec.
func cloneFeature(h *hold.Home) Feature {
	f := Feature{Name: "clone into a cgroup", Works: featureUntried, For: "a process is born in its cgroup, and need not move there"}
	if h.Why() == nil {
		f.Works = featureFails
		if h.Clones() {
			f.Works = featureWorks
		}
	}
	return f
}

// fileFeature looks for a file that every cgroup but the root has.
func fileFeature(h *hold.Home, file, what string) Feature {
	f := Feature{Name: file, Works: featureUntried, For: what}
	if dir := h.Dir(); dir != "" {
		f.Works = featureFails
		if exists(dir + "/" + file) {
			f.Works = featureWorks
		}
	}
	return f
}

// tryClone3 calls clone3 with arguments that are too short to make a process. A kernel that has the
// call answers EINVAL.
func tryClone3() error {
	if _, _, errno := unix.RawSyscall(unix.SYS_CLONE3, 0, 0, 0); errno != unix.EINVAL {
		return errno
	}
	return nil
}

// tryPidfd opens a pidfd of ourselves.
func tryPidfd() error {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err == nil {
		err = unix.Close(fd)
	}
	return err
}
