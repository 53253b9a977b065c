package hold

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/cginit/cginit/cgroup"
	"github.com/cginit/cginit/init/proc"
	"github.com/cginit/cginit/init/proctree"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// jobsName is the cgroup that holds those of the jobs, leafName the one that cginit moves to when
// controllers are needed. Our names start with cginit so that a person knows whose they are.
const (
	jobsName = "cginit.jobs"
	leafName = "cginit"
)

// Options is what a home needs to know of the supervisor.
type Options struct {
	// Alone says that nothing but one command is ever to run in our PID namespace.
	Alone bool
	// Hint says what to add here to get a cgroup, for messages.
	Hint func() string
	// Post brings a message to the loop; goroutines call it. nil: nothing will be started.
	Post func(message func())
	// Complain says in the log that something cannot be done for now; nil: it can again.
	Complain func(what string, err error)
	// Contain, if it is not nil, makes the containments in place of this package.
	Contain func(Place) (Containment, error)
}

// Home is where runs get their containment, and what belongs to all of them.
type Home struct {
	level    Level
	why      error // why the level is no better
	isPid1   bool
	session  int // ours
	hint     func() string
	post     func(func())
	complain func(string, error)
	contain  func(Place) (Containment, error)

	own     cgroup.Dir // the cgroup that we were started in
	jobs    cgroup.Dir // below it: the parent of every run's; empty: there is no cgroup
	leaf    cgroup.Dir // below it: ours since controllers were needed; empty: not needed
	mount   int        // descriptor of the mount that is ours alone; -1: there is none
	enabled []string   // controllers
	watcher *cgroup.Watcher
	clones  bool // clone3 into a cgroup works here
	oomMore int  // by how much jobs are preferred to us when memory runs out

	watched     map[int32]Listener // by what the watcher answers
	lastWatch   int32
	mains       map[int]*base  // the main processes that are our children, by pid
	holders     map[int]*tree  // by the pid of the holder
	elders      map[int]bool   // pids of what was below us before we were cginit
	spare       *proctree.Tree // a holder for the next run; nil: there is none
	keepsSpares bool
	guardian    *guardian // nil: the kernel does its work, or there is no cgroup
}

// Open finds the best containment that there is. An error means that something is wrong with it,
// not that there is none: Level and Why tell that.
func Open(o Options) (*Home, error) {
	h := &Home{
		level: Tree, mount: -1, isPid1: os.Getpid() == 1, hint: o.Hint, post: o.Post, complain: o.Complain,
		watched: map[int32]Listener{}, mains: map[int]*base{}, holders: map[int]*tree{},
	}
	h.session, _ = unix.Getsid(0)
	if o.Contain != nil {
		h.contain = o.Contain
		return h, nil
	}
	if o.Alone && h.isPid1 {
		h.level = PIDNamespace
	}
	if h.own, h.why = cgroup.Find(); h.why == nil {
		h.jobs, h.why = h.own.MakeUnique(jobsName)
	}
	if errors.Is(h.why, cgroup.ErrReadOnly) {
		h.mountPrivately()
	}
	h.oomMore = oomMore(h.own)
	if h.why != nil {
		h.findElders()
		return h, nil
	}
	var err error
	if h.watcher, err = cgroup.NewWatcher(); err != nil {
		_ = h.jobs.Remove()
		return nil, err
	}
	h.level, h.clones = Cgroup, probeClone(h.jobs)
	return h, nil
}

// mountPrivately is for the read-only cgroup2 of a container that has CAP_SYS_ADMIN.
func (h *Home) mountPrivately() {
	dir, fd, err := cgroup.Private()
	if err != nil {
		h.why = fmt.Errorf("%w, and it cannot be mounted for us alone: %w", h.why, err)
		return
	}
	h.own, h.mount = dir, fd
	h.jobs, h.why = dir.MakeUnique(jobsName)
}

// findElders remembers what is below us already: it is nobody's, and must not be killed.
func (h *Home) findElders() {
	h.elders = map[int]bool{}
	for _, pid := range proc.Below(os.Getpid()) {
		h.elders[pid] = true
	}
}

// Level returns how runs are held, those left aside that have a uid to themselves ([Home.LevelFor]).
func (h *Home) Level() Level { return h.level }

// Why says why there is no cgroup; nil if there is one.
func (h *Home) Why() error { return h.why }

// Suffices returns an error if a level is less than --require asks for.
func (h *Home) Suffices(l Level, required string) error {
	switch {
	case l.Meets(required):
		return nil
	case required == "uid" && h.isPid1:
		return fmt.Errorf("--require uid cannot be met, this would be %s: %w, and it has no uid of its own; give it user: auto, or %s",
			l, h.why, h.hint())
	}
	return fmt.Errorf("--require %s cannot be met, the best here is %s: %w; %s", required, l, h.why, h.hint())
}

// Watch begins to tell the listeners of runs what changes in their cgroups, in the loop.
func (h *Home) Watch() {
	if h.watcher == nil {
		return
	}
	go func() {
		for {
			ids, err := h.watcher.Wait()
			if err != nil {
				return // the loop still looks whenever a child dies or a deadline passes
			}
			h.post(func() { h.haveChanged(ids) })
		}
	}()
}

func (h *Home) haveChanged(ids []int32) {
	for _, id := range ids {
		if l := h.watched[id]; l != nil {
			l.Changed()
		}
	}
}

// Place says where a run is to be held.
type Place struct {
	Name      string // of the run, for messages
	Dir       string // the name of its cgroup
	Level     Level  // what [Home.Level] or [Home.LevelFor] has answered for it
	Inside    Containment
	Resources *specs.LinuxResources // its limits; nil: it has none
	Listener  Listener
}

// Contain makes the containment of one run.
func (h *Home) Contain(p Place) (Containment, error) {
	b := base{home: h, listener: p.Listener}
	switch {
	case h.contain != nil:
		return h.contain(p)
	case h.level == Cgroup:
		return h.containInCgroup(p, b)
	case h.level == PIDNamespace:
		return &pidns{base: b}, nil
	}
	return &tree{base: b, level: p.Level}, nil
}

// containInCgroup makes a fresh cgroup: that of a job's run below ours, that of its steps and probes
// below its own, so that its limits hold for them too.
func (h *Home) containInCgroup(p Place, b base) (_ Containment, err error) {
	parent := h.jobs
	outer, isInner := p.Inside.(*cgroupRun)
	if isInner {
		parent = outer.dir
	}
	dir, err := parent.Make(p.Dir)
	if err != nil {
		return nil, fmt.Errorf("cannot make a cgroup for %s: %w", p.Name, err)
	}
	defer func() {
		if err != nil {
			_ = dir.Remove()
		}
	}()
	if p.Resources != nil {
		if err := dir.Limit(p.Resources); err != nil {
			return nil, err
		}
	}
	h.lastWatch++
	watch, err := h.watcher.Add(dir, h.lastWatch)
	if err != nil {
		return nil, err
	}
	h.watched[h.lastWatch] = p.Listener
	return &cgroupRun{base: b, dir: dir, watch: watch, watchID: h.lastWatch, isInner: isInner}, nil
}

// The removal of our own cgroup is tried again closeRetries times, after closeRetry each: a dying
// task holds it up (Linux 6.19 and later).
const (
	closeRetries = 100
	closeRetry   = 10 * time.Millisecond
)

// Close gives back all cgroups that were made, as far as they are empty. Controllers that another
// cginit in our cgroup still uses stay, and so does our leaf then.
func (h *Home) Close() error {
	if h.jobs == "" {
		return nil
	}
	err := h.jobs.Remove()
	for try := 0; errors.Is(err, unix.EBUSY) && try < closeRetries; try++ {
		<-time.After(closeRetry) // nothing is left that could be kept waiting
		err = h.jobs.Remove()
	}
	if err != nil {
		return err
	}
	if len(h.enabled) > 0 {
		if err := h.own.Disable(h.enabled); err != nil {
			return ignoreBusy(err)
		}
	}
	if h.leaf == "" {
		return nil
	}
	if err := h.leaf.MoveAll(h.own); err != nil {
		return ignoreBusy(err)
	}
	return h.leaf.Remove()
}

func ignoreBusy(err error) error {
	if errors.Is(err, unix.EBUSY) {
		return nil
	}
	return err
}

// args is what the guardian needs to remove the cgroups in our place; homeFromArgs reads it.
func (h *Home) args() []string {
	return []string{string(h.own), string(h.jobs), string(h.leaf), strings.Join(h.enabled, " ")}
}

func homeFromArgs(args []string) (*Home, bool) {
	if len(args) != 4 {
		return nil, false
	}
	return &Home{
		own: cgroup.Dir(args[0]), jobs: cgroup.Dir(args[1]), leaf: cgroup.Dir(args[2]),
		enabled: strings.Fields(args[3]),
	}, true
}

// Reaped takes what wait4 says of a child. Most children are nobody's: orphans that came to us.
func (h *Home) Reaped(pid int, ws syscall.WaitStatus) {
	ended := ws.Exited() || ws.Signaled()
	if ended {
		delete(h.elders, pid)
	}
	main := h.mains[pid]
	switch {
	case h.guardian != nil && pid == h.guardian.pid:
		h.guardian.lost(time.Now())
	case h.isHolder(pid, ws), h.isSpare(pid, ws):
	case main == nil:
	case ws.Stopped():
		main.listener.MainStopped()
	case ended:
		delete(h.mains, pid)
		main.ended = true
		main.listener.MainEnded(ws)
	}
}

// isOurs tells whether a child is none of a job's.
func (h *Home) isOurs(pid int) bool {
	return h.elders[pid] || h.holders[pid] != nil || h.spare != nil && h.spare.Pid == pid ||
		h.guardian != nil && h.guardian.pid == pid
}
