package supervisor

import (
	"errors"
	"reflect"
	"runtime/debug"
	"slices"
	"time"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/init/hold"
	"github.com/cginit/cginit/init/life"
)

// reload is the state of reading the file again.
type reload struct {
	isReading bool                                // a goroutine reads the file
	again     bool                                // another reload was asked for since it began
	waiters   []func(*control.ReloadReply, error) // called with the result
}

// readAgain reads the file again, in a goroutine, because a file system may hang. Only one reading
// goes on at a time. A request during a reading makes the file be read once more afterwards, since
// it may have changed, and that result answers all requests. If then is not nil, it is called with
// the result.
func (s *Supervisor) readAgain(then func(*control.ReloadReply, error)) {
	if then != nil {
		s.reload.waiters = append(s.reload.waiters, then)
	}
	switch {
	case s.config.Load == nil:
		s.reloaded(nil, errors.New("there is no file: cginit was started with a command"))
		return
	case s.reload.isReading:
		s.reload.again = true
		return
	}
	s.reload.isReading = true
	go func() {
		f, err := s.config.Load()
		s.post(func() {
			s.reload.isReading = false
			if s.reload.again {
				s.reload.again = false
				s.readAgain(nil)
				return
			}
			s.reloaded(f, err)
		})
	}()
}

// reloaded applies the file that was read, or logs the error, and calls all waiters.
func (s *Supervisor) reloaded(f *config.File, err error) {
	if err == nil && s.phase == phaseEnding {
		err = control.ShuttingDown{}
	}
	if err == nil {
		err = s.allowAll(f)
	}
	var reply *control.ReloadReply
	if err != nil {
		s.log.Printf("not reloaded, everything goes on as it was: %v", err)
	} else {
		reply = s.apply(f)
		debug.FreeOSMemory() // the memory that the parser has used
	}
	for _, then := range s.reload.waiters {
		then(reply, err)
	}
	s.reload.waiters = nil
}

// allowAll prepares the uids and limits of a new file's jobs. It returns the first error.
func (s *Supervisor) allowAll(f *config.File) error {
	hold.SealAuto(f.Jobs)
	for i := range f.Jobs {
		if err := s.allow(f.Jobs[i]); err != nil {
			return err
		}
	}
	return nil
}

// apply makes the jobs those of the file. It stops jobs that were removed, starts new ones,
// restarts changed ones, and does not touch the others.
func (s *Supervisor) apply(f *config.File) *control.ReloadReply {
	wanted := map[string]bool{}
	reply := &control.ReloadReply{Added: []string{}, Removed: []string{}, Changed: []string{}}
	for _, spec := range f.Jobs {
		wanted[spec.Name] = true
	}
	for _, j := range slices.Clone(s.jobs.all) {
		if !wanted[j.spec.Name] && j.lease == nil && !j.gone {
			reply.Removed = append(reply.Removed, j.spec.Name)
			s.forget(j)
		}
	}
	for _, spec := range f.Jobs {
		j := s.jobs.named[spec.Name]
		switch {
		case j == nil:
			reply.Added = append(reply.Added, spec.Name)
			s.startNew(s.jobs.add(spec))
		case j.gone: // an earlier reload removed it, and it has not ended yet
			reply.Added = append(reply.Added, spec.Name)
			s.takeBack(j, spec)
		case !isSame(spec, j.newest()):
			reply.Changed = append(reply.Changed, spec.Name)
			s.replace(j, spec)
		}
	}
	if f.GracePeriod > 0 {
		s.config.GracePeriod = f.GracePeriod
	}
	s.log.Printf("reloaded: %d new, %d changed, %d gone", len(reply.Added), len(reply.Changed), len(reply.Removed))
	return reply
}

// isSame tells whether two specs of a job are equal. Whether it is sealed does not count where that is left to us:
// that depends on the jobs beside it, and stays as it is until something else about the job changes.
func isSame(a, b *config.Spec) bool {
	if a.SealAuto && b.SealAuto {
		other := *a
		other.Seal = b.Seal
		a = &other
	}
	return reflect.DeepEqual(a, b)
}

// startNew starts or schedules a job that a reload has added.
func (s *Supervisor) startNew(j *job) {
	j.SetBooting(s.phase == phaseBooting && j.startsItself())
	s.startOrSchedule(j)
	s.queue.changed = true
}

// takeBack keeps a job that an earlier reload has removed. If it starts by itself, it starts anew
// when its run has ended.
func (s *Supervisor) takeBack(j *job, spec *config.Spec) {
	j.gone, j.replacement = false, spec
	j.KeepOn()
	if j.startsItself() {
		s.queue.add(j, life.EvJobRestart)
	}
}

// replace gives a job another spec, at once or when its present run has ended.
func (s *Supervisor) replace(j *job, spec *config.Spec) {
	wasOn := j.IsWanted() && !j.IsIdle()
	s.restartDependents(j)
	if j.IsLive() {
		j.replacement = spec
		if wasOn { // otherwise a stop is under way
			s.queue.add(j, life.EvJobRestart)
		}
		return
	}
	j.setSpec(spec)
	// A job that has ended by itself is run anew, a job that somebody has stopped is not.
	if wasOn || j.startsItself() && j.State() != life.JobDown {
		s.queue.add(j, life.EvJobRestart)
	}
	s.schedule(j)
}

// forget stops a job that the file no longer has. The job is dropped when nothing of it is left.
func (s *Supervisor) forget(j *job) {
	j.gone, j.next = true, time.Time{}
	s.end(j)
}
