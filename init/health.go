package supervisor

import (
	"bytes"
	"io"
	"time"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/probe"
)

type healthStatus string

const (
	unchecked healthStatus = ""         // it has no health check
	unknown   healthStatus = "starting" // no check has succeeded yet
	healthy   healthStatus = "healthy"
	unhealthy healthStatus = "unhealthy"
)

// health is what a job's checks have found in its present run.
type health struct {
	status   healthStatus
	failures int       // in a row
	next     time.Time // when to look again; zero: not by itself
	said     string    // what the last check wrote
}

// probeOutput is how much of what a check writes is kept, in bytes.
const probeOutput = 1 << 10

// beginHealth is for a run that has just become ready.
func (s *Supervisor) beginHealth(j *job) {
	j.health = health{}
	if h := j.spec.Health; h != nil {
		j.health = health{status: unknown, next: s.now().Add(pause(h, unknown, 0))}
	}
}

// probe runs one check inside the job's run, so that its cgroup and its limits hold it too.
func (s *Supervisor) probe(j *job) {
	h := j.spec.Health
	j.health.next = time.Time{}   // until this one has ended
	if h != nil && j.run.paused { // nothing can be started where everything stands still
		j.health.next = s.now().Add(h.Interval)
		return
	}
	if h == nil || j.state != jobUp || j.run.isOver() {
		return
	}
	spec := &config.Spec{Args: h.Args, Env: j.spec.Env, Dir: j.spec.Dir, Identity: j.run.spec.Identity, Timeout: h.Timeout}
	r := s.attendant(j, roleHealth, "health", spec)
	if len(h.Args) == 0 {
		r.exe, spec.Args = selfExe, []string{probe.Name, h.HTTP, h.TCP}
	}
	s.begin(r)
}

// probed is told that a check has ended.
func (s *Supervisor) probed(r *run, receipt *Receipt) {
	j := r.job
	if j.run != r.owner || j.state != jobUp || r.owner.isOver() {
		return
	}
	h, spec := &j.health, j.spec.Health
	h.said = r.said
	since := s.now().Sub(j.readyAt)
	before := h.status
	switch {
	case receipt.ExitStatus == 0:
		h.status, h.failures = healthy, 0
	case h.status == unknown && since < spec.StartPeriod:
	default:
		if h.failures++; h.failures >= spec.Retries {
			h.status = unhealthy
		}
	}
	h.next = s.now().Add(pause(spec, h.status, since))
	if h.status != before {
		s.healthChanged(j, receipt)
	}
}

// pause is the time until the next check.
func pause(h *config.Health, status healthStatus, since time.Duration) time.Duration {
	if status == unknown && since < h.StartPeriod {
		return h.StartInterval
	}
	return h.Interval
}

func (s *Supervisor) healthChanged(j *job, receipt *Receipt) {
	s.changed = true
	s.tellHealth(j)
	if j.health.status != unhealthy {
		return
	}
	j.bad = "it is unhealthy: its check " + receipt.end()
	if j.health.said != "" {
		j.bad += ": " + j.health.said
	}
	switch {
	case j.boot, j.spec.OnUnhealthy == config.UnhealthyRestart:
		s.later(j, jvBad)
	default:
		s.log.printf("%s: %s", j.spec.Name, j.bad)
		j.bad = ""
	}
}

// capture keeps the beginning of what a check writes, for the message that it failed.
func (s *Supervisor) capture(r *run, d *stdio) error {
	read, write, err := pipe()
	if err != nil {
		return err
	}
	d.fds[1], d.fds[2], d.theirs = int(write.Fd()), int(write.Fd()), append(d.theirs, write)
	r.pump = &pump{open: 1}
	go func() {
		text, _ := io.ReadAll(io.LimitReader(read, probeOutput))
		_, _ = io.Copy(io.Discard, read)
		read.Close()
		s.post(func() {
			r.pump.open--
			r.said = string(bytes.TrimSpace(text))
			if r.state == removing {
				s.feed(r, evDeadline)
			}
		})
	}()
	return nil
}
