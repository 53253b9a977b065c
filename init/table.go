package supervisor

import (
	"fmt"
	"slices"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/hold"
	"github.com/cginit/cginit/init/life"
)

// table holds the jobs.
type table struct {
	all    []*job          // in the order of the file, then in the order of their start
	named  map[string]*job // the same jobs by name
	single *job            // the command of the command line; nil: we run a file
	uids   hold.UIDs       // the uids for user: auto
	alarm  *life.Alarm     // is set to the deadlines of all jobs
	states life.JobStates  // how many jobs are in each state

	sockets notifyDir // where the NOTIFY_SOCKETs are
}

// add adds a job with this spec, which it keeps, and returns it.
func (t *table) add(spec *config.Spec) *job {
	j := newJob(spec)
	j.Rings(t.alarm)
	t.all = append(t.all, j)
	t.named[spec.Name] = j
	t.states[j.State()]++
	if t.states.Live() > 0 { // after a reload its dependents can be live already
		for _, other := range t.all {
			if other != j && other.IsLive() && other.dependsOn(spec.Name) {
				j.needed++
			}
		}
	}
	return j
}

// moved counts anew after a job has left a state.
func (t *table) moved(j *job, from life.JobState) {
	t.states[from]--
	t.states[j.State()]++
	switch {
	case from.IsLive() == j.IsLive():
	case j.IsLive():
		t.need(j, 1)
	default:
		t.need(j, -1)
	}
}

// need adds to the number of live dependents of all jobs that a job depends on.
func (t *table) need(j *job, by int) {
	for _, d := range j.spec.After {
		if on := t.named[d.Job]; on != nil && on != j {
			on.needed += int32(by)
		}
	}
}

// remove removes a job and closes its NOTIFY_SOCKET.
func (t *table) remove(j *job) {
	j.notify.close()
	delete(t.named, j.spec.Name)
	t.states[j.State()]--
	t.all = slices.DeleteFunc(t.all, func(other *job) bool { return other == j })
}

// find returns the jobs with this name. The name of a scaled job finds all of its replicas.
func (t *table) find(name string) []*job {
	return slices.DeleteFunc(slices.Clone(t.all), func(j *job) bool { return j.spec.Name != name && (name == "" || j.spec.Scaled != name) })
}

// blame adds the job's name to an error. The command of the command line needs none.
func (t *table) blame(j *job, err error) error {
	if j == t.single {
		return err
	}
	return fmt.Errorf("%s: %w", j.spec.Name, err)
}

// dependencies tells whether all conditions that a job waits for are met. If one of them cannot be
// met any more, never says why; otherwise it is empty.
func (t *table) dependencies(j *job) (met bool, never string) {
	met = true
	for _, d := range j.spec.After {
		on := t.named[d.Job]
		if on == nil {
			return false, "it depends on " + d.Job + ", which is gone"
		}
		if !on.satisfies(d.Condition) {
			met = false
			if on.IsIdle() && (on.State() != life.JobDown || !on.IsWanted()) {
				never = "it depends on " + d.Job + ", which is " + on.State().String()
			}
		}
	}
	return met, never
}

// blockedBy returns the name of the first job that a job waits for; empty if there is none.
func (t *table) blockedBy(j *job) string {
	for _, d := range j.spec.After {
		if on := t.named[d.Job]; on == nil || !on.satisfies(d.Condition) {
			return d.Job
		}
	}
	return ""
}

// essential returns the first essential job whose last run did not end with status 0; nil if there is
// none.
func (t *table) essential() *job {
	for _, j := range t.all {
		if j.spec.Essential && j.last != nil && j.last.ExitStatus != 0 {
			return j
		}
	}
	return nil
}

// withDependents returns the jobs, followed by all that depend on them directly or through others.
func (t *table) withDependents(jobs []*job) []*job {
	all := slices.Clone(jobs)
	for i := 0; i < len(all); i++ {
		for _, other := range t.all {
			if other.dependsOn(all[i].spec.Name) && !slices.Contains(all, other) {
				all = append(all, other)
			}
		}
	}
	return all
}

// haveStarted tells whether any run was ever begun.
func (t *table) haveStarted() bool {
	return slices.ContainsFunc(t.all, func(j *job) bool { return j.runs > 0 })
}

// userOf returns the user u, with a uid in place of auto. The job keeps that uid for all of its
// runs and steps.
func (t *table) userOf(j *job, u *config.User) *config.User {
	if u == nil || !u.Auto {
		return u
	}
	if j.uid == 0 {
		j.uid = t.uids.Next(func(id uint32) bool {
			return slices.ContainsFunc(t.all, func(other *job) bool { return other.uid == id })
		})
	}
	return &config.User{UID: j.uid, GID: j.uid, Groups: u.Groups, Home: u.Home}
}

// specOf returns the spec of the job's next run: the job's own, with a uid in place of user: auto.
func (t *table) specOf(j *job) *config.Spec {
	if u := j.spec.User; u == nil || !u.Auto {
		return j.spec
	}
	spec := *j.spec
	spec.User = t.userOf(j, spec.User)
	return &spec
}

// levelOf returns the level at which the job's next run is held. A leased run that has ended is
// only kept to be shown, so it does not share its uid with the job.
func (t *table) levelOf(h *hold.Home, j *job) hold.Level {
	uid := func() uint32 { return t.userOf(j, j.spec.User).UID }
	return h.LevelFor(&j.spec.Identity, uid, func(uid uint32) bool {
		return slices.ContainsFunc(t.all, func(other *job) bool {
			return other != j && !other.over && (other.uid == uid || hold.RunsAs(other.spec, uid))
		})
	})
}

// specs returns the specs of all jobs.
func (t *table) specs() (all []*config.Spec) {
	for _, j := range t.all {
		all = append(all, j.spec)
	}
	return all
}
