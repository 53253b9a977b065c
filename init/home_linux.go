package supervisor

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/cginit/cginit/cgroup"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// jobsName is the cgroup that holds those of the jobs, leafName the one that we move to when
// controllers are needed. Names of ours start with cginit so that a person knows whose it is.
const (
	jobsName = "cginit.jobs"
	leafName = "cginit"
)

// enterRetries is how often a process may enter our cgroup (docker exec) between its clearing
// and the enabling of controllers.
const enterRetries = 100

// home is where runs get their containment.
type home struct {
	level   Level
	why     error      // why it is no better
	own     cgroup.Dir // the cgroup that we were started in
	jobs    cgroup.Dir // below it: the parent of every run's; empty: no cgroup
	leaf    cgroup.Dir // below it: ours since controllers were needed; empty: not needed
	mount   int        // descriptor of the mount that is ours alone; -1: none
	enabled []string   // controllers
	watcher *cgroup.Watcher
	clones  bool // clone3 into a cgroup works here
	oomMore int  // by how much jobs are preferred to us when memory runs out
}

// openHome finds the best containment that there is. An error means that something is wrong
// with it, not that there is none: level and why tell that. alone: the PID namespace is ours,
// and nothing but one command is ever to run in it.
func openHome(alone bool) (*home, error) {
	h := &home{mount: -1, level: LevelTree}
	if alone {
		h.level = LevelPidns
	}
	if h.own, h.why = cgroup.Find(); h.why == nil {
		h.jobs, h.why = h.own.MakeUnique(jobsName)
	}
	if errors.Is(h.why, cgroup.ErrReadOnly) {
		h.mountPrivately()
	}
	h.oomMore = oomMore(h.own)
	if h.why != nil {
		return h, nil
	}
	var err error
	if h.watcher, err = cgroup.NewWatcher(); err != nil {
		_ = h.jobs.Remove()
		return nil, err
	}
	h.level, h.clones = LevelCgroup, probeClone(h.jobs)
	return h, nil
}

// mountPrivately is for the read-only cgroup2 of a container that has CAP_SYS_ADMIN.
func (h *home) mountPrivately() {
	dir, fd, err := cgroup.Private()
	if err != nil {
		h.why = fmt.Errorf("%w, and it cannot be mounted for us alone: %w", h.why, err)
		return
	}
	h.own, h.mount = dir, fd
	h.jobs, h.why = dir.MakeUnique(jobsName)
}

// allow sees to it that runs can have these limits.
func (h *home) allow(res *specs.LinuxResources) error {
	controllers := cgroup.Controllers(res)
	if err := h.offers(controllers); err != nil || len(controllers) == 0 {
		return err
	}
	return h.enable(controllers)
}

// offers tells what limits by these controllers are short of here.
func (h *home) offers(controllers []string) error {
	switch {
	case len(controllers) == 0:
		return nil
	case h.level != LevelCgroup:
		return fmt.Errorf("limits need a writable cgroup v2, and there is none: %w; %s", h.why, howToGetCgroup())
	}
	return h.own.Offers(controllers)
}

// contain makes the containment of one run. orphans signals what holders that were lost have
// left, and tells who that is.
func (h *home) contain(r *run, orphans func(syscall.Signal) ([]int, error)) (containment, error) {
	switch h.level {
	case LevelCgroup:
		return h.containInCgroup(r)
	case LevelPidns:
		return &pidns{}, nil
	case LevelTree:
	}
	return &tree{orphans: orphans}, nil
}

// containInCgroup makes a fresh cgroup: that of a job's run below ours, that of its steps and
// probes below its own, so that its limits hold for them too.
func (h *home) containInCgroup(r *run) (_ containment, err error) {
	parent := h.jobs
	if r.owner != nil {
		parent = r.owner.containment.(*cgroupRun).dir
	}
	dir, err := parent.Make(fmt.Sprintf("%s.%d", r.spec.Name, r.number))
	if err != nil {
		return nil, fmt.Errorf("cannot make a cgroup for %s: %w", r.name, err)
	}
	defer func() {
		if err != nil {
			_ = dir.Remove()
		}
	}()
	if r.spec.Resources != nil {
		if err := dir.Limit(r.spec.Resources); err != nil {
			return nil, err
		}
	}
	watch, err := h.watcher.Add(dir, r.watch)
	if err != nil {
		return nil, err
	}
	return &cgroupRun{dir: dir, watch: watch, clones: h.clones}, nil
}

// enable makes controllers available to runs. No process may be in our own cgroup then, so we
// move to a leaf below it, with all that came with us or has entered since.
func (h *home) enable(controllers []string) error {
	if h.leaf == "" && !h.own.IsRoot() {
		leaf, err := h.own.MakeUnique(leafName)
		if err != nil {
			return err
		}
		h.leaf = leaf
	}
	for range enterRetries {
		if h.leaf != "" {
			if err := h.own.MoveAll(h.leaf); err != nil {
				return err
			}
		}
		added, err := h.own.Enable(controllers)
		if errors.Is(err, unix.EBUSY) {
			continue
		}
		if err == nil {
			h.enabled = append(h.enabled, added...)
			_, err = h.jobs.Enable(controllers)
		}
		return err
	}
	return errors.New("cannot enable controllers: processes keep entering our cgroup")
}

// closeRetries bounds how often the end tries again to remove what a dying task holds up.
const closeRetries = 100

// close gives back all that was made, as far as it is empty. Controllers that another cginit
// in our cgroup still uses stay, and so does the leaf then.
func (h *home) close() error {
	if h.jobs == "" {
		return nil
	}
	err := h.jobs.Remove()
	for try := 0; errors.Is(err, unix.EBUSY) && try < closeRetries; try++ {
		<-time.After(rmdirRetry) // nothing is left that could be kept waiting
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

// args is what the guardian needs to close it in our place; homeFromArgs reads it.
func (h *home) args() []string {
	return []string{string(h.own), string(h.jobs), string(h.leaf), strings.Join(h.enabled, " ")}
}

func homeFromArgs(args []string) (*home, bool) {
	if len(args) != 4 {
		return nil, false
	}
	return &home{
		own: cgroup.Dir(args[0]), jobs: cgroup.Dir(args[1]), leaf: cgroup.Dir(args[2]),
		enabled: strings.Fields(args[3]),
	}, true
}
