// Package host finds out what cginit --check shows: where we are, what the kernel can do, how jobs
// would be held here, and what to add for a better level. It starts no job and leaves nothing behind.
package host

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/cginit/cginit/cgroup"
	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/init/hold"
)

// Question says what [Check] looks at.
type Question struct {
	// Jobs are the jobs of the file, or the command alone; nil means that only the place is looked
	// at.
	Jobs []*config.Spec
	// IsCommand says that the only job is the command of the command line.
	IsCommand bool
	// TakesCalls says that there will be a control socket, so that more jobs may come.
	TakesCalls bool
	// Socket is the path of the control socket; "none" means no socket, and empty means the
	// default.
	Socket string
	// Require is the weakest containment to accept: cgroup, uid or tree; empty accepts any.
	Require string
	// BestEffortLimits makes a limit that cannot be enforced no problem.
	BestEffortLimits bool
}

// Findings is what [Check] found. Its JSON is what cginit --check --json prints.
type Findings struct {
	Platform  string    `json:"platform"`
	Container Container `json:"container"`
	Cgroup    Cgroup    `json:"cgroup"`
	Kernel    []Feature `json:"kernel"`
	// Levels says how jobs are held here in general, Jobs how those of the question are.
	Levels []Held `json:"levels"`
	Jobs   []Held `json:"jobs,omitempty"`
	// Best is the strongest level that exists on any host.
	Best       hold.Level `json:"best"`
	Guarantees []Promise  `json:"guarantees"`
	// Missing says why no option of a container can lead to the best level; empty if one can.
	Missing string `json:"missing,omitempty"`
	// Ways lead to the best level. They are empty if it is reached already.
	Ways []Way `json:"ways,omitempty"`
	// Seal says what sealing a job would give here and what it would cost; empty where its level would stay.
	Seal string `json:"seal,omitempty"`
	// SameUser are the jobs with our own user. They can trace us and set our limits, whatever holds them.
	SameUser []string `json:"same_user,omitempty"`
	// Problems are the reasons why a supervisor would not start here.
	Problems []string `json:"problems,omitempty"`
}

// Held says at which level something is held here.
type Held struct {
	What  string     `json:"what"`
	Level hold.Level `json:"level"`
}

// Promise says in words what a level promises.
type Promise struct {
	Level     hold.Level `json:"level"`
	Guarantee string     `json:"guarantee"`
}

// The usual jobs, as the report names them.
const (
	oneCommand  = "one command"
	manyJobs    = "several jobs"
	ownUserJobs = "jobs with user: auto"
	sealedJobs  = "jobs with seal: true"
)

// sealAdvice says what sealing a job would give here, and what it would cost.
const sealAdvice = "seal: true holds a job at level sealed instead of tree. It can then signal and trace only what it has started " +
	"itself (no kill 1, no pkill of another job), and not mount"

// Check finds out how jobs would be held here, and what a supervisor would lack. An error means
// that it could not look.
func Check(q Question) (*Findings, error) {
	h, err := hold.Open(hold.Options{Alone: q.IsCommand && !q.TakesCalls, Hint: HowToGetCgroup})
	if err != nil {
		return nil, err
	}
	f := &Findings{Platform: platform(), Container: lookAround(), Kernel: features(h)}
	f.Cgroup = cgroupFacts(h)
	f.socket(q.Socket)
	f.levels(h, &q)
	hold.SealAuto(q.Jobs)
	uids := uidsOf(q.Jobs)
	for i := range q.Jobs {
		f.job(h, &q, i, uids)
	}
	return f, h.Close()
}

// levels fills in how usual jobs are held here, and what would lead to a better level.
func (f *Findings) levels(h *hold.Home, q *Question) {
	usual := h.Usual()
	f.Best = hold.Levels()[0]
	if h.Why() != nil {
		f.Missing = f.hopeless(h.Why())
		f.Ways = waysOn(f.Platform)
	}
	f.Levels = []Held{{oneCommand, usual.OneCommand}, {manyJobs, usual.ManyJobs}, {ownUserJobs, usual.OwnUser}, {sealedJobs, usual.IsSealed}}
	for _, l := range hold.Levels() {
		f.Guarantees = append(f.Guarantees, Promise{l, l.Guarantee()})
	}
	if usual.SealHelps() {
		f.Seal = sealAdvice
		if !f.Container.NoNewPrivs && !slices.Contains(f.Container.Capabilities, "CAP_SYS_ADMIN") {
			f.Seal += ", and set-user-ID programs such as sudo give it no rights"
		}
	}
	if len(q.Jobs) > 0 {
		return
	}
	if err := h.Suffices(usual.OneCommand, q.Require); err != nil {
		f.Problems = append(f.Problems, err.Error())
	}
}

// job fills in how job i is held, and its problems.
func (f *Findings) job(h *hold.Home, q *Question, i int, uids []uint32) {
	spec := q.Jobs[i]
	level := levelOf(h, q.Jobs, i, uids)
	f.Jobs = append(f.Jobs, Held{spec.Name, level})
	problem := func(err error) {
		if err != nil {
			f.Problems = append(f.Problems, fmt.Sprintf("%s: %v", spec.Name, err))
		}
	}
	if u := spec.User; !spec.Seal && (u == nil || !u.Auto && int(u.UID) == os.Getuid()) {
		f.SameUser = append(f.SameUser, spec.Name)
	}
	problem(h.Suffices(level, q.Require))
	problem(hold.AllowUser(spec))
	problem(hold.AllowSeal(spec))
	problem(h.AllowRlimits(spec))
	if !q.BestEffortLimits {
		problem(h.Offers(spec.Resources))
	}
}

// uidsOf returns the uid of each job, 0 for a job without a user. As in the supervisor, each job
// with user: auto gets its own.
func uidsOf(specs []*config.Spec) []uint32 {
	uids := make([]uint32, len(specs))
	var auto hold.UIDs
	for i := range specs {
		switch u := specs[i].User; {
		case u == nil:
		case !u.Auto:
			uids[i] = u.UID
		default:
			uids[i] = auto.Next(func(uid uint32) bool { return slices.Contains(uids[:i], uid) })
		}
	}
	return uids
}

// levelOf returns the level at which job i would be held beside the others.
func levelOf(h *hold.Home, specs []*config.Spec, i int, uids []uint32) hold.Level {
	return h.LevelFor(&specs[i].Identity, func() uint32 { return uids[i] }, func(uid uint32) bool {
		for k := range specs {
			if k != i && (uids[k] == uid || hold.RunsAs(specs[k], uid)) {
				return true
			}
		}
		return false
	})
}

// socket tries to bind the control socket. A failure is a problem only if the socket was asked for.
func (f *Findings) socket(path string) {
	if path == "none" {
		return
	}
	asked := path != ""
	if !asked {
		path = control.DefaultSocket
	}
	f.Container.Socket = Socket{Path: path}
	server, err := control.Listen(control.Config{Path: path})
	if err == nil {
		err = server.Close()
	}
	if err == nil {
		return
	}
	f.Container.Socket.Problem = err.Error()
	if asked {
		f.Problems = append(f.Problems, err.Error())
	}
}

// hopeless returns the reason why no option of a container can give it a cgroup; empty if one can.
func (f *Findings) hopeless(why error) string {
	switch {
	case errors.Is(why, cgroup.ErrV1), errors.Is(why, cgroup.ErrNoMount) && f.Cgroup.Version == "v1":
		return "the host is on cgroup v1, where nothing can be delegated to a container: boot it with systemd.unified_cgroup_hierarchy=1"
	case (errors.Is(why, cgroup.ErrPermission) || errors.Is(why, cgroup.ErrReadOnly)) && os.Getuid() != 0 && cgroup.InContainer() && !underSystemd():
		return "process 1 is not root: start it as root (USER 0) and give its jobs a user"
	case errors.Is(why, cgroup.ErrNotOurs) && cgroup.InContainer():
		return "the container is in the host's cgroup namespace: add --cgroupns private"
	}
	return ""
}
