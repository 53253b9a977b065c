package supervisor

import (
	"fmt"
	"os"
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

// These are the most messages of a job that the loop handles in one turn, and before the end of a main
// process. A turn has one, because what follows from it comes before the next. More than
// net.unix.max_dgram_qlen never wait.
const (
	heardAtOnce   = 1
	heardAtTheEnd = 1024
)

// hear handles the messages that wait at the NOTIFY_SOCKET of a job, if it has one.
func (s *Supervisor) hear(j *job, most int) {
	heard := func(from sender, text string) { s.notified(j, from, text) }
	for range most {
		if j.notify == nil || !j.notify.next(heard) {
			return
		}
	}
}

// notified handles a message that a process sent to the job's NOTIFY_SOCKET (sd_notify(3)), unless
// the sender may not speak for the job. A step can only say the job's status.
func (s *Supervisor) notified(j *job, from sender, text string) {
	r, doubt := j.speaker(from)
	if doubt != "" {
		j.notify.refuse(s.log, j.spec.Name, from, doubt)
		return
	}
	for _, n := range parseNotification(text) {
		if r.role != roleMain && n.kind != sayStatus {
			continue
		}
		switch n.kind {
		case sayReady:
			s.queue.add(j, life.EvJobReady)
			if j.reloading.end(time.Now()) {
				reloadChanged(s, j)
			}
		case sayReloading:
			if j.State() == life.JobUp { // some say so before they are ready for the first time
				j.reloading.begin()
				reloadChanged(s, j)
			}
		case sayStatus:
			j.notify.status = n.status
			s.calls.journal.addState(j)
		case sayStopping:
			if !j.run.IsOver() { // then a leftover says it
				s.queue.add(j, life.EvJobOwnStop)
			}
		case sayAlive:
			j.FeedWatchdog(time.Now())
		case sayBad:
			if j.State() == life.JobUp && j.Watchdog() > 0 {
				s.queue.addEvent(j, life.JobEvent{Kind: life.EvJobBad, Why: "it triggered its own watchdog"})
			}
		case sayWatchdog:
			j.SetWatchdog(n.span, time.Now())
		case sayMain:
			s.follow(j, n.pid)
		case sayExtend:
			s.queue.addEvent(j, life.JobEvent{Kind: life.EvJobExtend, Until: time.Now().Add(n.span)})
		}
	}
}

// reloadChanged lets clients and waiting calls see that a job has begun or ended a reload.
func reloadChanged(s *Supervisor, j *job) {
	s.queue.changed = true
	s.alarm.Set(j.reloading.silent)
	s.calls.journal.addState(j)
}

// follow makes a process that the job has named (MAINPID) its main process. The log has the first
// that cannot be, and of more their number at each power of ten.
func (s *Supervisor) follow(j *job, pid int) {
	before := j.run.pid()
	err := j.run.setMain(pid)
	n := j.notify
	switch {
	case err == nil && j.run.pid() != before:
		s.calls.journal.addState(j)
	case err == nil:
	default:
		if n.ignored++; n.ignored == 1 {
			s.log.Printf("%s: MAINPID=%d is ignored: %v", j.spec.Name, pid, err)
		} else if isPowerOf10(n.ignored) {
			s.log.Printf("%s: MAINPID was ignored %d times", j.spec.Name, n.ignored)
		}
	}
}

// speaker returns the run of the job that the sender of a notification belongs to: its step or its own. doubt says
// why it is believed to be of neither; empty: it is of that run. A sender that could be of both, because it is
// gone when we look, counts as one of the job's own run, which could lose a WATCHDOG=1 otherwise. During
// pre_start there is none.
func (j *job) speaker(from sender) (r *run, doubt string) {
	step := j.stepRun
	if step == nil || step.held == nil {
		return j.run, j.run.doubt(from)
	}
	if owns, _ := step.held.Owns(from.pid); owns || step.role == rolePreStart {
		return step, step.doubt(from)
	}
	if doubt = j.run.doubt(from); doubt != "" && step.doubt(from) == "" {
		return step, ""
	}
	return j.run, doubt
}

// forget forgets what an earlier run has said. n may be nil.
func (n *notifier) forget() {
	if n != nil {
		n.status = ""
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
