package supervisor

import (
	"errors"
	"reflect"
	"runtime/debug"
	"slices"
	"time"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/control"
)

// reload reads the file again, in a goroutine, for a file system may hang. One reload at a
// time: who asks meanwhile is answered by the one under way, which may not have read it yet.
// then, if it is not nil, is told what came of it.
func (s *Supervisor) reload(then func(*control.ReloadReply, error)) {
	if then != nil {
		s.reloadWaiters = append(s.reloadWaiters, then)
	}
	switch {
	case s.config.Load == nil:
		s.reloaded(nil, errors.New("there is no file: cginit was started with a command"))
		return
	case s.reloads:
		s.reloadAgain = true
		return
	}
	s.reloads = true
	go func() {
		f, err := s.config.Load()
		s.post(func() {
			s.reloads = false
			if s.reloadAgain { // it may have changed while it was read
				s.reloadAgain = false
				s.reload(nil)
				return
			}
			s.reloaded(f, err)
		})
	}()
}

// reloaded takes the file that was read.
func (s *Supervisor) reloaded(f *config.File, err error) {
	if err == nil && s.phase == ending {
		err = control.ShuttingDown{}
	}
	if err == nil {
		err = s.allowAll(f)
	}
	var reply *control.ReloadReply
	if err != nil {
		s.log.printf("not reloaded, everything goes on as it was: %v", err)
	} else {
		reply = s.apply(f)
		debug.FreeOSMemory() // what the parser has left
	}
	for _, then := range s.reloadWaiters {
		then(reply, err)
	}
	s.reloadWaiters = nil
}

func (s *Supervisor) serveReload(c *control.Call) {
	s.reload(func(reply *control.ReloadReply, err error) {
		if err != nil {
			c.Fail(control.Failed{Reason: err.Error()})
			return
		}
		c.Reply(*reply)
	})
}

// allowAll sees to it that the jobs of a new file can have their limits.
func (s *Supervisor) allowAll(f *config.File) error {
	for i := range f.Jobs {
		if err := s.allow(&f.Jobs[i]); err != nil {
			return err
		}
	}
	return nil
}

// apply makes the jobs be those of the file: what is gone is stopped, what is new is started,
// what has changed is started anew, the rest is not touched.
func (s *Supervisor) apply(f *config.File) *control.ReloadReply {
	wanted := map[string]bool{}
	reply := &control.ReloadReply{Added: []string{}, Removed: []string{}, Changed: []string{}}
	for _, spec := range f.Jobs {
		wanted[spec.Name] = true
	}
	for _, j := range slices.Clone(s.jobs) {
		if !wanted[j.spec.Name] && j.lease == nil && !j.gone {
			reply.Removed = append(reply.Removed, j.spec.Name)
			s.forget(j)
		}
	}
	for _, spec := range f.Jobs {
		j := s.named[spec.Name]
		switch {
		case j == nil:
			reply.Added = append(reply.Added, spec.Name)
			s.startNew(s.addJob(spec))
		case j.gone: // it was taken out, and has not ended yet
			reply.Added = append(reply.Added, spec.Name)
			s.takeBack(j, spec)
		case !reflect.DeepEqual(spec, j.newest()):
			reply.Changed = append(reply.Changed, spec.Name)
			s.replace(j, spec)
		}
	}
	if f.GracePeriod > 0 {
		s.config.GracePeriod = f.GracePeriod
	}
	s.log.printf("reloaded: %d new, %d changed, %d gone", len(reply.Added), len(reply.Changed), len(reply.Removed))
	return reply
}

func (s *Supervisor) startNew(j *job) {
	j.boot = s.phase == booting && j.startsItself()
	if j.startsItself() {
		s.later(j, jvStart)
	} else {
		s.schedule(j)
	}
	s.changed = true
}

// takeBack keeps a job that is on its way out: it starts anew when its run has ended.
func (s *Supervisor) takeBack(j *job, spec config.Spec) {
	j.gone, j.ending, j.replacement = false, false, &spec
	if j.startsItself() {
		s.later(j, jvRestart)
	}
}

// newest is what the job is to be: what a reload has brought, if its run has not ended yet.
func (j *job) newest() config.Spec {
	if j.replacement != nil {
		return *j.replacement
	}
	return j.spec
}

// replace gives a job another spec, at once or when its present run has ended.
func (s *Supervisor) replace(j *job, spec config.Spec) {
	wasOn := j.want && !j.isIdle() // what has ended is not to run again because of this
	s.restartDependents(j)
	if j.isLive() {
		j.replacement = &spec
		if wasOn { // otherwise somebody is stopping it
			s.later(j, jvRestart)
		}
		return
	}
	j.spec = spec
	if wasOn || j.startsItself() {
		s.later(j, jvRestart)
	}
	s.schedule(j)
}

// forget stops a job that is in the file no more, and drops it when nothing of it is left.
func (s *Supervisor) forget(j *job) {
	j.gone, j.next = true, time.Time{}
	s.end(j)
}
