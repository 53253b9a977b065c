package host

import (
	"bytes"
	"os"
	"strconv"
	"strings"

	"github.com/cginit/cginit/cgroup"
	"github.com/cginit/cginit/init/hold"
	"github.com/cginit/cginit/internal/self"
	"github.com/moby/sys/capability"
	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// TerminationLog is the file from which Kubernetes takes the last message of a container.
const TerminationLog = "/dev/termination-log"

// Container is what surrounds us, as far as it matters for jobs.
type Container struct {
	Pid int `json:"pid"`
	UID int `json:"uid"`
	GID int `json:"gid"`
	// Capabilities are our effective ones, such as CAP_CHOWN.
	Capabilities []string `json:"capabilities"`
	NoNewPrivs   bool     `json:"no_new_privileges"`
	// Seccomp is "none", "strict", "filter" or "unknown".
	Seccomp string `json:"seccomp"`
	// Emulator is the user-mode emulator that runs us, such as "qemu-aarch64"; empty: none does.
	Emulator string `json:"emulator,omitempty"`
	// UserNamespace says that we are in a user namespace, so that uids are mapped.
	UserNamespace bool `json:"user_namespace"`
	// Proc is "complete", "hidden" (hidepid hides the processes of others), "foreign" (it is that
	// of another PID namespace) or "none".
	Proc         string `json:"proc"`
	ReadOnlyRoot bool   `json:"read_only_root"`
	// TerminationLog is "writable", "read-only" or "none".
	TerminationLog string `json:"termination_log"`
	Socket         Socket `json:"socket"`
}

// Socket is the control socket. An empty Problem means that it can be bound.
type Socket struct {
	// Path is empty if there will be no socket.
	Path    string `json:"path,omitempty"`
	Problem string `json:"problem,omitempty"`
}

// Cgroup is what there is of cgroups here.
type Cgroup struct {
	// Version is "v1", "v2", "v1 and v2" (hybrid) or "none".
	Version string `json:"version"`
	// Mount is the directory where cgroup2 is mounted, Own the directory of our own cgroup.
	Mount string `json:"mount,omitempty"`
	Own   string `json:"own,omitempty"`
	// Access is "writable", "private" (mounted for us alone) or "none". Why is the reason for
	// "none".
	Access string `json:"access"`
	Why    string `json:"why,omitempty"`
	// Controllers are those that limits can use.
	Controllers []string `json:"controllers"`
}

// lookAround returns what surrounds us, without the control socket.
func lookAround() Container {
	c := Container{
		Pid: os.Getpid(), UID: os.Getuid(), GID: os.Getgid(), Capabilities: capabilities(), Seccomp: seccomp(), Emulator: self.Emulator(),
		UserNamespace: !hold.HasAllUIDs() || mapsUIDs(), Proc: procFacts(), TerminationLog: "none",
	}
	if on, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err == nil {
		c.NoNewPrivs = on == 1
	}
	c.ReadOnlyRoot = unix.Access("/", unix.W_OK) == unix.EROFS
	if exists(TerminationLog) {
		c.TerminationLog = "read-only"
		if unix.Access(TerminationLog, unix.W_OK) == nil {
			c.TerminationLog = "writable"
		}
	}
	return c
}

// capabilities returns our effective capabilities. It uses capget(2), which needs no /proc.
func capabilities() []string {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var has [2]unix.CapUserData
	names := []string{}
	if unix.Capget(&header, &has[0]) != nil {
		return names
	}
	for _, c := range capability.ListKnown() {
		if has[c/32].Effective&(1<<(uint(c)%32)) != 0 {
			names = append(names, "CAP_"+strings.ToUpper(c.String()))
		}
	}
	return names
}

// seccomp returns the mode of seccomp; see [Container].
func seccomp() string {
	switch mode, err := unix.PrctlRetInt(unix.PR_GET_SECCOMP, 0, 0, 0, 0); {
	case err != nil:
		return "unknown"
	case mode == 0:
		return "none"
	case mode == 1:
		return "strict"
	}
	return "filter"
}

// mapsUIDs tells whether our user namespace maps uids, unlike the first one.
func mapsUIDs() bool {
	data, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && string(bytes.Join(bytes.Fields(data), []byte(" "))) != "0 0 4294967295"
}

// procFacts tells whether /proc shows all processes of our PID namespace; see [Container].
func procFacts() string {
	self, err := os.Readlink("/proc/self")
	switch {
	case err != nil:
		return "none"
	case self != strconv.Itoa(os.Getpid()):
		return "foreign"
	}
	mounts, err := mountinfo.GetMounts(mountinfo.SingleEntryFilter("/proc"))
	if err == nil && len(mounts) == 1 && strings.Contains(mounts[0].VFSOptions, "hidepid=") {
		return "hidden"
	}
	return "complete"
}

// cgroupFacts returns what there is of cgroups here.
func cgroupFacts(h *hold.Home) Cgroup {
	v1, mount := cgroup.Mounted()
	c := Cgroup{Mount: mount, Own: h.Own(), Controllers: []string{}}
	switch {
	case v1 && mount != "":
		c.Version = "v1 and v2"
	case v1:
		c.Version = "v1"
	case mount != "":
		c.Version = "v2"
	default:
		c.Version = "none"
	}
	c.Access, c.Controllers = h.Access(), append(c.Controllers, h.Controllers()...)
	if h.Why() != nil {
		c.Why = h.Why().Error()
	}
	return c
}

// exists tells whether the file exists and can be reached.
func exists(file string) bool { _, err := os.Stat(file); return err == nil }
