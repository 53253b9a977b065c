package hold

import (
	"cmp"
	"os"
	"slices"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/proc"
	"github.com/cginit/cginit/init/seal"
	"golang.org/x/sys/unix"
)

// Level names what holds the processes of a run together.
type Level string

// The levels, the strongest first.
const (
	// Cgroup means that the run has its own cgroup.
	Cgroup Level = "cgroup"
	// PIDNamespace means that the PID namespace holds its only run: process 1 kills with kill(-1).
	PIDNamespace Level = "pidns"
	// UID means that the run has a holder and a uid of its own: that uid kills with kill(-1).
	UID Level = "uid"
	// Sealed means that the run has a holder that it can neither signal nor trace.
	Sealed Level = "sealed"
	// Tree means that a holder, the subreaper of the run, kills until it has no child left.
	Tree Level = "tree"
	// Marked means that a holder kills until it finds no process with the mark of the run: an emulator lets
	// nobody be a subreaper.
	Marked Level = "marked"
)

// Levels returns all levels, the strongest first.
func Levels() []Level { return []Level{Cgroup, PIDNamespace, UID, Sealed, Tree, Marked} }

// Guarantee returns in words what the level promises.
func (l Level) Guarantee() string { return l.GuaranteeFor(&config.Identity{}) }

// GuaranteeFor returns what the level promises for a job with this identity.
func (l Level) GuaranteeFor(id *config.Identity) string {
	switch l {
	case Cgroup:
		if id.Seal {
			return "the kernel's: nothing that the job starts outlives it, and it cannot write to the cgroup tree (it is sealed)"
		}
		return "the kernel's: nothing that the job starts outlives it, unless it may write to the cgroup tree itself"
	case PIDNamespace:
		return "the kernel's: nothing in this PID namespace outlives the job, processes that entered from outside, " +
			"such as docker exec, included"
	case UID:
		return "the kernel's: nothing that runs as the job's uid outlives it, and it cannot become another"
	case Sealed:
		return "the kernel's: nothing that the job starts outlives it, because it can neither signal nor trace its holder; " +
			"a job that forks faster than it is killed delays that"
	case Marked:
		return "best effort, where nobody can be a subreaper: as tree, but a daemon of the job is found by a limit that it " +
			"inherits (RLIMIT_LOCKS), and can escape if it changes that"
	case Tree:
	}
	return "best effort: the descendants of the job are killed until none is left; a job that forks faster than that " +
		"delays it, and a job that kills its holder can escape"
}

// Meets tells whether the level is at least as strong as --require asks for: cgroup, uid, sealed,
// tree, or empty for any, Marked included. PIDNamespace meets uid: kill(-1) by process 1 and by a uid are both one call that
// no fork escapes.
func (l Level) Meets(required string) bool {
	switch required {
	case "cgroup":
		return l == Cgroup
	case "uid":
		return l == Cgroup || l == PIDNamespace || l == UID
	case "sealed":
		return l != Tree && l != Marked
	case "tree":
		return l != Marked
	}
	return true
}

// Usual holds the levels at which usual jobs are held here.
type Usual struct {
	OneCommand Level // one command without a control socket
	ManyJobs   Level // one of several jobs
	OwnUser    Level // one of several jobs, with user: auto
	IsSealed   Level // one of several jobs, with seal: true
}

// SealHelps tells whether a job is held better here if it is sealed.
func (u Usual) SealHelps() bool { return u.ManyJobs == Tree && u.IsSealed == Sealed }

// Usual returns how usual jobs would be held here.
func (h *Home) Usual() Usual {
	u := Usual{h.level, h.level, h.level, h.level}
	if h.level == Cgroup {
		return u
	}
	shared := &Home{level: h.weakest, isPid1: h.isPid1}
	u.OneCommand, u.ManyJobs = h.weakest, h.weakest
	if h.isPid1 {
		u.OneCommand = PIDNamespace
	}
	u.IsSealed = shared.LevelFor(&config.Identity{Seal: true}, nil, nil)
	auto := func() uint32 { return new(UIDs).Next(func(uint32) bool { return false }) }
	u.OwnUser = shared.LevelFor(&config.Identity{User: &config.User{Auto: true}}, auto, func(uint32) bool { return false })
	return u
}

// LevelFor returns what holds the runs of a job with this identity: where runs are held as trees,
// and the job has a uid of its own, that uid does it. uid returns the job's uid, and isShared
// whether another job may run as it. kill(-1) reaches every process with the uid, so this is only for
// process 1 of a PID namespace, where all processes are known.
//
// Otherwise a job that is sealed, on a kernel that holds its signals, is at level Sealed.
func (h *Home) LevelFor(id *config.Identity, uid func() uint32, isShared func(uid uint32) bool) Level {
	level := h.levelByUID(id, uid, isShared)
	if level == Tree && id.Seal && seal.HoldsSignals() {
		return Sealed
	}
	return level
}

// levelByUID is LevelFor without regard to seals.
func (h *Home) levelByUID(id *config.Identity, uid func() uint32, isShared func(uid uint32) bool) Level {
	if h.level != Tree || !h.isPid1 || id.User == nil || mayChangeUID(id) {
		return h.level
	}
	if own := uid(); own == 0 || int(own) == os.Getuid() || proc.HasUID(own) || isShared(own) {
		return h.level
	}
	if !hasCapability(unix.CAP_SETUID) || canHandOut() != nil {
		return h.level
	}
	return UID
}

// mayChangeUID tells whether a job is given what it would need to become another user.
func mayChangeUID(id *config.Identity) bool {
	gives := func(name string) bool { return name == "ALL" || name == "CAP_SETUID" }
	return slices.ContainsFunc(id.CapAdd, gives) || id.Capabilities != nil && slices.ContainsFunc(id.Capabilities.Permitted, gives)
}

// hasCapability tells whether we have a capability (effective).
func hasCapability(which int) bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var has [2]unix.CapUserData
	return unix.Capget(&header, &has[0]) == nil && has[which/32].Effective&(1<<(which%32)) != 0
}

// Consequence returns what it means for jobs at these levels that there is no writable cgroup, for the log.
func (h *Home) Consequence(levels []Level) string {
	if h.level == PIDNamespace {
		return "the job ends with all of this PID namespace (containment pidns), and has no limits. " +
			`Run "cginit --check" to see what to add`
	}
	if len(levels) > 0 && !slices.Contains(levels, h.level) {
		return "each job has a holder that it cannot reach (containment " + string(levels[0]) + "), and no limits. " +
			`Run "cginit --check" to see what to add`
	}
	return "jobs are tracked as process trees, best effort (containment " + string(h.level) + "). " +
		`Run "cginit --check" to see what to add for the full guarantee`
}

// Access returns "writable", "private" (cgroup2 is mounted for us alone) or "none".
func (h *Home) Access() string {
	switch {
	case h.why != nil:
		return "none"
	case h.mount >= 0:
		return "private"
	}
	return "writable"
}

// Own returns the directory of the cgroup that we were started in; empty if it is unknown.
func (h *Home) Own() string { return string(h.own) }

// Dir returns a directory that has the same files as the cgroup of a run: that of the jobs, or else
// our own. It is empty if there is none.
func (h *Home) Dir() string { return string(cmp.Or(h.jobs, h.own)) }

// Clones tells whether a process can be forked into a cgroup here.
func (h *Home) Clones() bool { return h.level == Cgroup && probeClone(h.jobs) }

// Controllers returns the controllers that limits can use here.
func (h *Home) Controllers() []string {
	if h.own == "" {
		return nil
	}
	return h.own.Controllers()
}
