package supervisor

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cginit/cginit/init/life"
)

// saysReady makes a job ready because its run said so. It ignores a run that is not the present one
// or whose main process has ended.
func (s *Supervisor) saysReady(r *run) {
	if r.job.run == r && r.Status() == nil {
		s.queue.add(r.job, life.EvJobReady)
	}
}

// notified handles a message that a process sent to the job's NOTIFY_SOCKET (sd_notify(3)). A
// message from a process of another job is refused and logged.
func (s *Supervisor) notified(j *job, pid int, text string) {
	r := j.run
	if r == nil || r.held == nil || !r.held.Owns(pid) {
		s.log.Complain("take a notification", fmt.Errorf("process %d, which is not one of %s, sent one in its name", pid, j.spec.Name))
		return
	}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		switch key {
		case "READY":
			if value == "1" {
				s.queue.add(j, life.EvJobReady)
			}
		case "STATUS":
			j.notify.status = value
			s.calls.journal.addState(j)
		case "WATCHDOG":
			s.watchdogSeen(j, value)
		case "EXTEND_TIMEOUT_USEC":
			s.extend(j, value)
		case "STOPPING": // the job ends by itself, which its followers should see
			s.calls.journal.addState(j)
		}
	}
}

// watchdogSeen starts the watchdog's time anew, or stops the job as bad if it has triggered its own
// watchdog.
func (s *Supervisor) watchdogSeen(j *job, value string) {
	switch {
	case j.State() != life.JobUp || j.spec.Watchdog == 0:
	case value == "1":
		j.FeedWatchdog(time.Now())
	case value == "trigger":
		s.queue.addEvent(j, life.JobEvent{Kind: life.EvJobBad, Why: "it triggered its own watchdog"})
	}
}

// extend gives a job that is starting or stopping more time. value is in microseconds from now, at
// most 24 hours of which count. A deadline never becomes earlier.
func (s *Supervisor) extend(j *job, value string) {
	usec, err := strconv.ParseUint(value, 10, 63)
	if err != nil {
		return
	}
	until := time.Now().Add(time.Duration(min(usec, uint64(24*time.Hour/time.Microsecond))) * time.Microsecond)
	j.ExtendStart(until)
	if j.State() == life.JobStopping {
		j.run.ExtendGrace(until)
	}
}
