package supervisor

import (
	"bytes"
	"os"
	"strconv"
	"strings"

	"github.com/cginit/cginit/cgroup"
	"github.com/moby/sys/capability"
	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// Container is what surrounds us, as far as it matters here.
type Container struct {
	Pid            int      `json:"pid"`
	UID            int      `json:"uid"`
	GID            int      `json:"gid"`
	Capabilities   []string `json:"capabilities"` // effective
	NoNewPrivs     bool     `json:"no_new_privileges"`
	Seccomp        string   `json:"seccomp"`        // none, strict, filter, unknown
	UserNamespace  bool     `json:"user_namespace"` // not all uids are there
	Proc           string   `json:"proc"`           // complete, hidden (hidepid: not those of others), foreign (another PID namespace's), none
	ReadOnlyRoot   bool     `json:"read_only_root"`
	TerminationLog string   `json:"termination_log"` // writable, read-only, none
	Socket         Socket   `json:"socket"`
}

// Socket is the control socket. Without a problem it could be made.
type Socket struct {
	Path    string `json:"path,omitempty"` // empty: there is to be none
	Problem string `json:"problem,omitempty"`
}

// Cgroup is what there is of cgroups.
type Cgroup struct {
	Version     string   `json:"version"` // v1, v2, v1 and v2 (hybrid), none
	Mount       string   `json:"mount,omitempty"`
	Own         string   `json:"own,omitempty"` // where our own is
	Access      string   `json:"access"`        // writable, private (mounted for us alone), none
	Why         string   `json:"why,omitempty"` // there is none
	Controllers []string `json:"controllers"`   // that limits can have
}

func lookAround() Container {
	c := Container{
		Pid: os.Getpid(), UID: os.Getuid(), GID: os.Getgid(), Capabilities: capabilities(), Seccomp: seccomp(),
		UserNamespace: topUID() != fullMap || mapsUIDs(), Proc: procFacts(), TerminationLog: "none",
	}
	if on, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err == nil {
		c.NoNewPrivs = on == 1
	}
	c.ReadOnlyRoot = unix.Access("/", unix.W_OK) == unix.EROFS
	if exists(terminationLog) {
		c.TerminationLog = "read-only"
		if unix.Access(terminationLog, unix.W_OK) == nil {
			c.TerminationLog = "writable"
		}
	}
	return c
}

// capabilities are the effective ones, by capget(2): it needs no /proc.
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

// mapsUIDs tells whether the uids are those of a user namespace.
func mapsUIDs() bool {
	data, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && string(bytes.Join(bytes.Fields(data), []byte(" "))) != "0 0 4294967295"
}

// procFacts tells whether /proc shows all processes of our PID namespace, and no others.
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

func cgroupFacts(h *home) Cgroup {
	v1, mount := cgroup.Mounted()
	c := Cgroup{Mount: mount, Own: string(h.own), Access: "none", Controllers: []string{}}
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
	switch {
	case h.why != nil:
		c.Why = h.why.Error()
	case h.mount >= 0:
		c.Access = "private"
	default:
		c.Access = "writable"
	}
	if h.own != "" {
		c.Controllers = append(c.Controllers, h.own.Controllers()...)
	}
	return c
}
