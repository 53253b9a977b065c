package supervisor

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/cginit/cginit/init/life"
	"github.com/cginit/cginit/init/output"
)

// saysReady makes a job ready because its run said so. It ignores a run that is not the present one
// or whose main process has ended.
func (s *Supervisor) saysReady(r *run) {
	if r.job.run == r && r.Status() == nil {
		s.queue.add(r.job, life.EvJobReady)
	}
}

// notified handles a message that a process sent to the job's NOTIFY_SOCKET (sd_notify(3)), unless
// the sender may not speak for the job.
func (s *Supervisor) notified(j *job, from sender, text string) {
	if doubt := j.run.doubt(from); doubt != "" {
		j.notify.refuse(s.log, j.spec.Name, from, doubt)
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

// doubt says why the sender of a notification is not believed; empty: it is. Who is gone when we
// look is believed if it had the job's uid: another job of that uid could as well kill this one or
// trace it. systemd-notify names its parent as the sender if it may, and an orphan's parent is the
// adopter.
func (r *run) doubt(from sender) string {
	const stranger = "is not one of its processes"
	if r == nil || r.held == nil || from.pid == 0 {
		return stranger
	}
	if from.pid == r.held.Adopter() {
		return ""
	}
	uid := uint32(os.Getuid())
	if u := r.spec.User; u != nil {
		uid = u.UID
	}
	switch owns, known := r.held.Owns(from.pid); {
	case owns, !known && from.uid == uid:
		return ""
	case known:
		return stranger
	}
	return fmt.Sprintf("has ended and is not of its uid, %d (systemd-notify waits until it is heard)", uid)
}

// refuse counts a notification that is not believed. The log has the first one in full, and of more
// their number at each power of ten: anybody may send as many as it likes.
func (n *notifier) refuse(log *output.Log, job string, from sender, doubt string) {
	n.refused++
	switch {
	case n.refused == 1:
		log.Printf("refused a notification in the name of %s: process %d (uid %d) %s", job, from.pid, from.uid, doubt)
	case isPowerOf10(n.refused):
		log.Printf("refused %d notifications in the name of %s", n.refused, job)
	}
}

// isPowerOf10 tells whether n is 1, 10, 100 and so on.
func isPowerOf10(n int) bool {
	for n > 1 && n%10 == 0 {
		n /= 10
	}
	return n == 1
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
