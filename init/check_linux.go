package supervisor

import (
	"errors"
	"fmt"
	"os"

	"github.com/cginit/cginit/cgroup"
	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/control"
)

// Findings is what [Check] found.
type Findings struct {
	Platform   string    `json:"platform"`
	Container  Container `json:"container"`
	Cgroup     Cgroup    `json:"cgroup"`
	Kernel     []Feature `json:"kernel"`
	Levels     []Held    `json:"levels"`         // in general
	Jobs       []Held    `json:"jobs,omitempty"` // of the command or the file that was given
	Best       Level     `json:"best"`
	Guarantees []Promise `json:"guarantees"`
	Missing    string    `json:"missing,omitempty"` // what no option of the container's can give
	Ways       []Way     `json:"ways,omitempty"`    // to the best level; empty: it is there
	Problems   []string  `json:"problems,omitempty"`
}

// Held is how something is held here.
type Held struct {
	What  string `json:"what"`
	Level Level  `json:"level"`
}

// Promise is what a level promises.
type Promise struct {
	Level     Level  `json:"level"`
	Guarantee string `json:"guarantee"`
}

// What is looked at where nothing in particular is asked for.
const (
	oneCommand  = "one command"
	manyJobs    = "several jobs"
	ownUserJobs = "jobs with user: auto"
)

// Check looks at where it is called: what could be held here, and how, and what a supervisor
// with that Config would be short of. It starts nothing, and leaves nothing behind.
func Check(c Config) (*Findings, error) {
	s := New(c)
	h, err := openHome(s.pid1 && s.single != nil && !s.takesCalls())
	if err != nil {
		return nil, err
	}
	s.home = h
	f := &Findings{Platform: platform(), Container: lookAround(), Kernel: features(h)}
	f.Cgroup = cgroupFacts(h)
	f.socket(c.Socket)
	f.levels(s)
	for _, j := range s.jobs {
		f.job(s, j)
	}
	return f, h.close()
}

// levels says how well jobs are held here, and how they could be.
func (f *Findings) levels(s *Supervisor) {
	f.Best = LevelCgroup
	one, several, own := LevelCgroup, LevelCgroup, LevelCgroup
	if s.home.level != LevelCgroup {
		one, several = LevelTree, LevelTree
		if s.pid1 {
			one = LevelPidns
		}
		own = s.levelOf(newJob(config.Spec{Identity: config.Identity{User: &config.User{Auto: true}}}), LevelTree)
		f.Missing = f.hopeless(s.home.why)
		f.Ways = waysOn(f.Platform)
	}
	f.Levels = []Held{{oneCommand, one}, {manyJobs, several}, {ownUserJobs, own}}
	for _, l := range []Level{LevelCgroup, LevelPidns, LevelUID, LevelTree} {
		f.Guarantees = append(f.Guarantees, Promise{l, guarantee[l]})
	}
	if len(s.jobs) > 0 {
		return
	}
	if err := s.suffices(one); err != nil {
		f.Problems = append(f.Problems, err.Error())
	}
}

// job looks at one job of the file, or at the command.
func (f *Findings) job(s *Supervisor, j *job) {
	level := s.levelOf(j, s.home.level)
	f.Jobs = append(f.Jobs, Held{j.spec.Name, level})
	problem := func(err error) {
		if err != nil {
			f.Problems = append(f.Problems, fmt.Sprintf("%s: %v", j.spec.Name, err))
		}
	}
	problem(s.suffices(level))
	problem(allowUser(&j.spec))
	if !s.config.BestEffortLimits {
		problem(s.home.offers(cgroup.Controllers(j.spec.Resources)))
	}
}

// socket tries the control socket, as far as one is asked for.
func (f *Findings) socket(path string) {
	if path == "none" {
		return
	}
	asked := path != ""
	if !asked {
		path = config.DefaultSocket
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

// hopeless says why no option of a container's can give it a cgroup, if none can.
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
