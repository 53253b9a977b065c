package supervisor

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/init/life"
	"github.com/cginit/cginit/init/proc"
)

// processesShown bounds the processes of one job that a reply shows.
const processesShown = 512

// shown returns the job's state as the wire names it.
func (j *job) shown() control.State {
	switch j.State() {
	case life.JobDown:
		return control.Idle
	case life.JobBlocked, life.JobDelayed:
		return control.Waiting
	case life.JobDone, life.JobFailed:
		return control.Ended
	case life.JobPreparing:
		return control.Starting
	case life.JobStarting, life.JobUp, life.JobStopping:
	}
	if j.run == nil {
		return control.Starting
	}
	switch j.run.State() {
	case life.RunFreezing, life.RunKilling:
		return control.Killing
	case life.RunStuck:
		return control.Stuck
	case life.RunAsking, life.RunStopping, life.RunLeaving, life.RunRemoving:
		return control.Stopping
	case life.RunIdle, life.RunStarting, life.RunRunning, life.RunWaiting, life.RunEnded:
	}
	return map[life.JobState]control.State{
		life.JobStarting: control.Starting, life.JobUp: control.Running, life.JobStopping: control.Stopping,
	}[j.State()]
}

// kind returns the kind of the job as the wire names it: service, job or run.
func (j *job) kind() string {
	switch {
	case j.lease != nil:
		return control.KindRun
	case j.spec.Service:
		return control.KindService
	}
	return control.KindJob
}

// view returns the job as the wire shows it, with its processes if processes is true.
func (t *table) view(j *job, processes bool) control.Job {
	v := control.Job{
		Name: j.spec.Name, Kind: j.kind(), State: j.shown(), Run: j.runs,
		Command: j.spec.Args, Restarts: j.Retries(), Labels: j.spec.Labels, Status: t.statusOf(j),
		Leased: j.lease != nil && !j.lease.detached, Next: instant(nearest(j.next, j.RetryAt())),
	}
	if j.HasBeenReady() {
		v.Ready = instant(j.ReadyAt())
	}
	if j.last != nil {
		exitStatus := j.last.ExitStatus
		v.ExitStatus, v.Ended = &exitStatus, instant(j.last.Ended)
	}
	r := j.run
	if r == nil {
		return v
	}
	v.Started, v.Containment = instant(r.book.started), string(r.level)
	if r.State() == life.RunEnded {
		return v
	}
	v.Health = j.health.shown()
	v.Reloading = j.reloading.isOn && v.State == control.Running
	v.Frozen, v.Pid, v.Ended, v.ExitStatus = r.paused, r.shownPid(), nil, nil
	if processes && r.held != nil {
		v.Processes, v.Omitted = viewProcesses(r)
	}
	return v
}

// views returns the view of several jobs, without their processes.
func (t *table) views(jobs []*job) []control.Job {
	shown := make([]control.Job, len(jobs))
	for i, j := range jobs {
		shown[i] = t.view(j, false)
	}
	return shown
}

// statusOf returns the reason why a job is not up, or the last STATUS= that it sent.
func (t *table) statusOf(j *job) string {
	switch {
	case j.State() == life.JobBlocked:
		if on := t.blockedBy(j); on != "" {
			return "waits for " + on
		}
	case j.State() == life.JobDelayed, j.State() == life.JobFailed:
		return j.why()
	case j.notify != nil:
		return j.notify.status
	}
	return ""
}

// health returns whether all services are up and healthy, and the reasons if not.
func (t *table) health(p phase) control.HealthReply {
	reply := control.HealthReply{Reasons: []string{}}
	switch p {
	case phaseBooting:
		reply.Reasons = append(reply.Reasons, "starting: waiting for "+cmp.Or(strings.Join(t.awaited(), ", "), "the last of its jobs"))
	case phaseEnding:
		reply.Reasons = append(reply.Reasons, "shutting down")
	case phaseUp:
	}
	for _, j := range t.all {
		switch {
		case p == phaseBooting && j.isAwaited(): // the first reason names it already
		case j.lease != nil || !j.spec.Service || j.spec.Manual && !j.IsWanted():
		case j.State() != life.JobUp:
			reply.Reasons = append(reply.Reasons, fmt.Sprintf("%s is %s", j.spec.Name, j.shown()))
		case j.health.status == unhealthy:
			reply.Reasons = append(reply.Reasons, j.spec.Name+" is unhealthy")
		}
	}
	reply.Healthy = len(reply.Reasons) == 0
	return reply
}

// awaited returns the jobs that the start of the supervisor waits for, each with what it lacks.
func (t *table) awaited() (names []string) {
	for _, j := range t.all {
		if !j.isAwaited() {
			continue
		}
		lacks := "not ready"
		switch {
		case j.State() == life.JobUp && j.health.status == unknown:
			lacks = "not healthy yet"
		case j.State() == life.JobBlocked:
			lacks = "waits for " + t.blockedBy(j)
		case j.State() == life.JobPreparing:
			lacks = "its pre_start steps run"
		}
		names = append(names, fmt.Sprintf("%s (%s)", j.spec.Name, lacks))
	}
	return names
}

// instant returns a pointer to t, or nil if t is zero.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// viewProcesses returns the first processesShown processes of a run, and the number of the others.
func viewProcesses(r *run) (shown []control.Process, omitted int) {
	pids, _ := r.held.Procs()
	for _, pid := range pids[:min(len(pids), processesShown)] {
		if p, ok := proc.ReadLiving(pid); ok {
			shown = append(shown, control.Process{
				Pid: p.Pid, PPid: p.PPid, Command: p.CommandLine(), State: string(p.State), Age: milliseconds(p.Age()),
			})
		}
	}
	return shown, max(0, len(pids)-processesShown)
}
