package supervisor

import (
	"time"

	"github.com/cginit/cginit/init/control"
)

// processesShown bounds what a list says of one job.
const processesShown = 512

// shown is the job's state in the words of the wire.
func (j *job) shown() control.State {
	switch j.state {
	case jobDown:
		return control.Idle
	case jobBlocked, jobDelayed:
		return control.Waiting
	case jobDone, jobFailed:
		return control.Ended
	case jobPreparing:
		return control.Starting
	case jobStarting, jobUp, jobStopping:
	}
	if j.run == nil {
		return control.Starting
	}
	switch j.run.state {
	case freezing, killing:
		return control.Killing
	case stuck:
		return control.Stuck
	case asking, stopping, leaving, removing:
		return control.Stopping
	case idle, starting, running, waiting, ended:
	}
	return map[jobState]control.State{jobStarting: control.Starting, jobUp: control.Running, jobStopping: control.Stopping}[j.state]
}

func (h *health) shown() control.HealthState {
	return map[healthStatus]control.HealthState{
		unknown: control.HealthStarting, healthy: control.Healthy, unhealthy: control.Unhealthy,
	}[h.status]
}

// show is the job on the wire.
func (s *Supervisor) show(j *job, processes bool) control.Job {
	v := control.Job{
		Name: j.spec.Name, Kind: j.kind(), State: j.shown(), Run: j.runs,
		Command: j.spec.Args, Restarts: j.retries, Labels: j.spec.Labels, Status: s.statusOf(j),
		Leased: j.lease != nil && !j.lease.detached, Next: instant(nearest(j.next, j.retryAt())),
	}
	if j.ready {
		v.Ready = instant(j.readyAt)
	}
	if j.last != nil {
		status := j.last.ExitStatus
		v.ExitStatus, v.Ended = &status, instant(j.last.Ended)
	}
	r := j.run
	if r == nil {
		return v
	}
	v.Started, v.Containment = instant(r.book.started), string(r.level)
	if r.state == ended {
		return v
	}
	v.Health = j.health.shown()
	v.Frozen, v.Pid, v.Ended, v.ExitStatus = r.paused, r.main.pid, nil, nil
	if processes && r.containment != nil {
		v.Processes, v.Omitted = showProcesses(r)
	}
	return v
}

func (j *job) kind() string {
	switch {
	case j.lease != nil:
		return control.KindRun
	case j.spec.Service:
		return control.KindService
	}
	return control.KindJob
}

// retryAt is when it is tried again.
func (j *job) retryAt() (at time.Time) {
	if j.state == jobDelayed {
		at = j.deadline
	}
	return at
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// statusOf is what a job says of itself, or why it is not up.
func (s *Supervisor) statusOf(j *job) string {
	switch {
	case j.state == jobBlocked:
		if on := s.blockedBy(j); on != "" {
			return "waits for " + on
		}
	case j.state == jobDelayed, j.state == jobFailed:
		return j.why()
	case j.notify != nil:
		return j.notify.status
	}
	return ""
}

func (s *Supervisor) blockedBy(j *job) string {
	for _, d := range j.spec.After {
		if on := s.named[d.Job]; on == nil || !on.satisfies(d.Condition) {
			return d.Job
		}
	}
	return ""
}

func showProcesses(r *run) (shown []control.Process, omitted int) {
	pids, _ := r.procs()
	for _, pid := range pids[:min(len(pids), processesShown)] {
		p, ok := readLiving(pid)
		if !ok {
			continue
		}
		v := control.Process{Pid: p.pid, PPid: p.ppid, Command: commandLine(p), State: string(p.state)}
		if age := sinceBoot() - p.start; age > 0 {
			v.Age = milliseconds(age)
		}
		shown = append(shown, v)
	}
	return shown, max(0, len(pids)-processesShown)
}
