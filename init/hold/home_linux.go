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
	"github.com/cginit/cginit/internal/self"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// jobsName is the cgroup that contains those of the runs. leafName is the cgroup that cginit moves to
// when it enables controllers. Both names start with cginit so that a person knows whose they are.
const (
	jobsName = "cginit.jobs"
	leafName = "cginit"
)

// Options is what a home needs from the supervisor.
type Options struct {
	// Alone says that only one command will ever run in our PID namespace.
	Alone bool
	// Hint returns what a person can add here to get a cgroup, for messages.
	Hint func() string
	// Post sends a message to the loop. Goroutines call it. It is nil if nothing will be started.
	Post func(message func())
	// Complain logs once that something cannot be done; a nil error says that it can be done again.
	Complain func(what string, err error)
	// Meanwhile is called once, while the first process that we start is on its way to its exec. It can be nil.
	Meanwhile func()
	// Contain, if it is not nil, makes all containments instead of this package.
	Contain func(Place) (Containment, error)
}

// Home makes the containments of all runs, and holds what they share.
type Home struct {
	level    Level
	weakest  Level // Tree, or Marked where nobody can be a subreaper
	why      error // why there is no cgroup; nil: there is one
	isPid1   bool
	isAlone  bool // only one command will ever run, see Options
	mayKill  bool // we have CAP_KILL
	session  int  // our own session
	hint     func() string
	post     func(func())
	complain func(string, error)
	contain  func(Place) (Containment, error)

	meanwhile func() // see Options; nil once it was called

	own     cgroup.Dir // the cgroup that we were started in
	jobs    cgroup.Dir // the cgroup below own that contains those of the runs; empty: there is none
	leaf    cgroup.Dir // the cgroup below own that we moved to for controllers; empty: not needed yet
	mount   int        // the descriptor of our private mount of cgroup2; -1: there is none
	freeze  int        // a descriptor of cgroup.freeze of jobs
	enabled []string   // the controllers that we have enabled
	granted []string   // the controllers that runs have
	watcher *cgroup.Watcher
	clones  bool // clone3 into a cgroup works here, as far as is known
	// hasCloned says that it has worked.
	hasCloned bool
	execs     int // main processes whose exec takes long
	oomMore   int // how much higher the oom_score_adj of jobs is than ours

	watched     map[int32]Listener // by the id that the watcher returns
	lastWatch   int32              // the last id that was used
	mains       map[int]*base      // the main processes that are our children, by pid
	holders     map[int]*tree      // by the pid of the holder
	elders      map[int]bool       // pids of processes that were below us before cginit started
	spare       *proctree.Tree     // a holder for the next run; nil: there is none
	keepsSpares bool
	guardian    *guardian // nil: we are process 1, or there is no cgroup
}

// Open finds the best containment that there is. If there is no usable cgroup that is not an error:
// [Home.Level] and [Home.Why] tell. It returns an error if a cgroup that can be written cannot be
// watched.
func Open(o Options) (*Home, error) {
	h := &Home{
		level: Tree, weakest: Tree, mount: -1, isPid1: os.Getpid() == 1, isAlone: o.Alone, mayKill: hasCapability(unix.CAP_KILL),
		hint: o.Hint, post: o.Post, complain: o.Complain, meanwhile: o.Meanwhile,
		watched: map[int32]Listener{}, mains: map[int]*base{}, holders: map[int]*tree{},
	}
	h.session, _ = unix.Getsid(0)
	if o.Contain != nil {
		h.contain = o.Contain
		return h, nil
	}
	orphansLeave := h.adopt()
	if h.isAlone && h.isPid1 {
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
		if orphansLeave != nil && h.level != PIDNamespace {
			h.why = fmt.Errorf("%w; %w", h.why, orphansLeave)
			if err := proctree.CanMark(); err != nil {
				return nil, fmt.Errorf("nothing here can hold a job: %w; and jobs cannot be marked: %w", h.why, err)
			}
		}
		h.findElders()
		return h, nil
	}
	var err error
	if h.watcher, err = cgroup.NewWatcher(); err == nil {
		h.freeze, err = h.jobs.OpenFreeze()
	}
	if errors.Is(err, unix.ENOENT) { // before Linux 5.2
		err = nil
	}
	if err != nil {
		_ = h.jobs.Remove()
		return nil, err
	}
	h.level, h.clones = Cgroup, true
	return h, nil
}

// adopt makes us the parent of the orphans below us, as process 1 is without that. The error says why nobody can
// be a subreaper here: then holders cannot, either. Runs in cgroups do not need it.
func (h *Home) adopt() error {
	err := proctree.CanAdopt()
	if err == nil {
		return nil
	}
	h.level, h.weakest = Marked, Marked
	err = fmt.Errorf("orphans leave, since nobody can be a subreaper: %w", err)
	if emulator := self.Emulator(); emulator != "" {
		err = fmt.Errorf("%w (emulated by %s)", err, emulator)
	}
	return err
}

// mountPrivately mounts cgroup2 for us alone. It is for a container that has CAP_SYS_ADMIN and a
// read-only cgroup2.
func (h *Home) mountPrivately() {
	dir, fd, err := cgroup.Private()
	if err != nil {
		h.why = fmt.Errorf("%w, and it cannot be mounted for us alone: %w", h.why, err)
		return
	}
	h.own, h.mount = dir, fd
	h.jobs, h.why = dir.MakeUnique(jobsName)
}

// findElders remembers the processes that are below us already. They belong to no job and must not
// be killed.
func (h *Home) findElders() {
	h.elders = map[int]bool{}
	for _, pid := range proc.Below(os.Getpid()) {
		h.elders[pid] = true
	}
}

// doMeanwhile does what is to be done while a process is on its way to its exec, once.
func (h *Home) doMeanwhile() {
	if h.meanwhile != nil {
		h.meanwhile()
		h.meanwhile = nil
	}
}

// Level returns the level at which runs are held, except those with a uid of their own
// ([Home.LevelFor]).
func (h *Home) Level() Level { return h.level }

// Why returns why there is no cgroup; nil if there is one.
func (h *Home) Why() error { return h.why }

// Suffices returns an error if level l is weaker than --require asks for. The error says what to
// add.
func (h *Home) Suffices(l Level, required string) error {
	switch {
	case l.Meets(required):
		return nil
	case required == "uid" && h.isPid1 && h.weakest == Tree:
		return fmt.Errorf("--require uid cannot be met, this would be %s: %w, and it has no uid of its own; give it user: auto, or %s",
			l, h.why, h.hint())
	}
	return fmt.Errorf("--require %s cannot be met, the best here is %s: %w; %s", required, l, h.why, h.hint())
}

// Watch begins to tell the listeners, in the loop, when their cgroups change. It does nothing
// without cgroups.
func (h *Home) Watch() {
	if h.watcher == nil {
		return
	}
	go func() {
		for {
			ids, err := h.watcher.Wait()
			if err != nil {
				return // the loop still looks when a child ends or a deadline passes
			}
			h.post(func() { h.haveChanged(ids) })
		}
	}()
}

// haveChanged tells the listeners of these ids that their cgroups have changed.
func (h *Home) haveChanged(ids []int32) {
	for _, id := range ids {
		if l := h.watched[id]; l != nil {
			l.Changed()
		}
	}
}

// Place says where and how a run is to be held.
type Place struct {
	Name      string                // the name of the run, for messages
	Dir       string                // the name of its cgroup
	Level     Level                 // the level that [Home.Level] or [Home.LevelFor] has returned for it
	Inside    Containment           // the run that it is a step or probe of; nil: none
	Resources *specs.LinuxResources // its limits; nil: it has none
	Listener  Listener
}

// Contain makes the containment of one run. The error says why the kernel refused it.
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

// containInCgroup makes a new cgroup: for a job's run below jobs, for a step or probe below that of
// its run, so that the run's limits hold for it too.
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
	kill, err := dir.OpenKill()
	if err != nil && !errors.Is(err, unix.ENOENT) { // before Linux 5.14
		watch.Close()
		return nil, err
	}
	h.watched[h.lastWatch] = p.Listener
	return &cgroupRun{base: b, dir: dir, watch: watch, watchID: h.lastWatch, kill: kill, isInner: isInner}, nil
}

// The removal of our cgroups is tried again up to closeRetries times, after closeRetry each: a dying
// task can hold it up (Linux 6.19 and later).
const (
	closeRetries = 100
	closeRetry   = 10 * time.Millisecond
)

// Close removes all cgroups that we have made, as far as they are empty. If another cginit in our
// cgroup still uses the controllers, they stay, and so does our leaf. Close can block for
// closeRetries times closeRetry (one second), but nothing waits for the loop then.
func (h *Home) Close() error {
	if h.jobs == "" {
		return nil
	}
	err := h.jobs.Remove()
	for try := 0; errors.Is(err, unix.EBUSY) && try < closeRetries; try++ {
		<-time.After(closeRetry) // no job is left that the loop would have to serve
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

// ignoreBusy returns err, or nil if it is EBUSY.
func ignoreBusy(err error) error {
	if errors.Is(err, unix.EBUSY) {
		return nil
	}
	return err
}

// args returns what the guardian needs to remove the cgroups for us. homeFromArgs reads it.
func (h *Home) args() []string {
	return []string{string(h.own), string(h.jobs), string(h.leaf), strings.Join(h.enabled, " ")}
}

// homeFromArgs returns a home that can only be closed; false if the arguments are not those of
// args.
func homeFromArgs(args []string) (*Home, bool) {
	if len(args) != 4 {
		return nil, false
	}
	return &Home{
		own: cgroup.Dir(args[0]), jobs: cgroup.Dir(args[1]), leaf: cgroup.Dir(args[2]),
		enabled: strings.Fields(args[3]),
	}, true
}

// Reaped takes what wait4 has returned for a child, and tells whether it was the main process of a run
// whose listener knows now. Most other children are orphans that nobody here knows.
func (h *Home) Reaped(pid int, ws syscall.WaitStatus) (told bool) {
	ended := ws.Exited() || ws.Signaled()
	if ended {
		delete(h.elders, pid)
	}
	main := h.mains[pid]
	switch {
	case h.guardian.is(pid):
		h.guardian.lost(time.Now())
	case h.isHolder(pid, ws), h.isSpare(pid, ws):
	case main == nil:
	case ws.Stopped():
		main.listener.MainStopped()
		return true
	case ended:
		delete(h.mains, pid)
		return main.reaped(pid, ws)
	}
	return false
}

// isOurs tells whether a child belongs to cginit itself, or was there before it, and not to a job.
func (h *Home) isOurs(pid int) bool {
	return h.elders[pid] || h.holders[pid] != nil || h.spare != nil && h.spare.Pid == pid ||
		h.guardian.is(pid)
}
