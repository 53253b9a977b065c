package supervisor

import (
	"reflect"
	"runtime/debug"
	"slices"
	"time"

	"github.com/cginit/cginit/init/config"
)

// reload reads the file again, in a goroutine, for a file system may hang. One reload at a
// time: what asks meanwhile is answered by the next.
func (s *Supervisor) reload() {
	if s.config.Load == nil || s.reloads || s.phase == ending {
		return
	}
	s.reloads = true
	go func() {
		f, err := s.config.Load()
		s.post(func() {
			s.reloads = false
			if err == nil {
				err = s.allowAll(f)
			}
			if err != nil {
				s.log.printf("not reloaded, everything goes on as it was: %v", err)
				return
			}
			s.apply(f)
			debug.FreeOSMemory() // what the parser has left
		})
	}()
}

// allowAll sees to it that the jobs of a new file can have their limits.
func (s *Supervisor) allowAll(f *config.File) error {
	for _, spec := range f.Jobs {
		if err := s.home.allow(spec.Resources); err != nil {
			return err
		}
	}
	return nil
}

// apply makes the jobs be those of the file: what is gone is stopped, what is new is started,
// what has changed is started anew, the rest is not touched.
func (s *Supervisor) apply(f *config.File) {
	wanted := map[string]bool{}
	var gone, begun, changed int
	for _, spec := range f.Jobs {
		wanted[spec.Name] = true
		j := s.named[spec.Name]
		switch {
		case j == nil:
			begun++
			s.startNew(s.addJob(spec))
		case !reflect.DeepEqual(spec, j.newest()):
			changed++
			s.replace(j, spec)
		}
	}
	for _, j := range slices.Clone(s.jobs) {
		if !wanted[j.spec.Name] && !j.leased {
			gone++
			s.forget(j)
		}
	}
	if f.GracePeriod > 0 {
		s.config.GracePeriod = f.GracePeriod
	}
	s.log.printf("reloaded: %d new, %d changed, %d gone", begun, changed, gone)
}

func (s *Supervisor) startNew(j *job) {
	if j.startsItself() {
		s.later(j, jvStart)
	} else {
		s.schedule(j)
	}
	s.changed = true
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
	wasOn := j.want
	if j.isLive() {
		j.replacement = &spec
		s.later(j, jvRestart)
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
	s.later(j, jvStop)
	s.changed = true
}
