package supervisor

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/config/programs"
	"github.com/cginit/cginit/init/life"
	"github.com/cginit/cginit/init/proc"
)

// reloadSilence is how long a job may take until it says RELOADING=1. One that has not said so by then, such as
// php-fpm, is one that does not say when it has reloaded. One without a NOTIFY_SOCKET is watched for as long: it
// may end instead.
const reloadSilence = time.Second

// reloading is what the present run of a job says of its reloads: RELOADING=1 when one begins, and READY=1 when
// it is over (sd_notify).
type reloading struct {
	isOn   bool      // it reloads
	begun  int       // how often it has begun to
	silent time.Time // until when we wait for it to begin; zero: we do not wait
}

// begin notes that the job has said RELOADING=1.
func (r *reloading) begin() { r.isOn, r.begun, r.silent = true, r.begun+1, time.Time{} }

// end notes that the job has said READY=1, and tells whether that ends a reload. Another signal, which came
// during that reload, may make it begin anew.
func (r *reloading) end(now time.Time) (was bool) {
	if r.isOn {
		r.isOn, r.silent = false, now.Add(reloadSilence)
		return true
	}
	return false
}

// told is what has become of a job since a call has told it to reload.
type told struct {
	run      *run // that was told
	before   int  // how often it had begun to reload before
	over     bool // it has reloaded, or does not say when it has
	reloaded bool // it has said that it has reloaded
}

// look tells whether the job has reloaded, or does not say when it has. What was true once stays so.
func (t *told) look(j *job) (over bool) {
	if !t.over && j.State() == life.JobUp && j.run == t.run && !t.run.IsGoing() && !j.reloading.isOn {
		t.reloaded = j.reloading.begun > t.before
		t.over = t.reloaded || j.reloading.silent.IsZero()
	}
	return t.over
}

// reloadSignal returns the signal that makes the job read its own configuration again; 0: there is none.
func (j *job) reloadSignal() syscall.Signal { return j.spec.ReloadSignal }

// cannotReload says why the job cannot be told to reload; empty: it can.
func (j *job) cannotReload() string {
	switch r := j.run; {
	case j.spec.ReloadWhy != "":
		return j.spec.ReloadWhy
	case j.reloadSignal() == 0:
		return "it has no reload_signal (a key of the file)"
	case j.State() != life.JobUp || r.IsGoing():
		return "only a running job can be reloaded"
	case r.paused:
		return "it is frozen"
	}
	p, name := programs.Find(j.spec.Args)
	if sig, _ := p.Reload(name, programs.Auto); sig == j.reloadSignal() { // named waits for its signals, which cannot be seen
		return ""
	}
	return cannotHear(j.run.shownPid(), j.reloadSignal())
}

// cannotHear says why a process should not be sent a signal that it is to act on; empty: it may be, or nobody
// knows. Most signals end a process that does not handle them.
func cannotHear(pid int, sig syscall.Signal) string {
	p, err := proc.Read(pid)
	self, _ := proc.Read(os.Getpid()) // it has handlers, so if none is shown, the kernel shows none
	const shown = 1<<31 - 1
	switch bit := uint64(1) << (sig - 1) & shown; {
	case err != nil:
		return ""
	case p.State == 'T':
		return "its main process is stopped by a signal; SIGCONT continues it"
	case bit == 0, self.Caught == 0, p.Caught&bit != 0:
		return ""
	case p.Blocked&bit != 0 && p.State == 'S': // it may read it (signalfd); who forks blocks it too, but is not asleep
		return ""
	}
	// Who waits for a signal with sigwait(3) is shown as if it neither caught nor blocked it. It sleeps there. If we
	// may not trace it, the kernel shows 0 (since Linux 4.4).
	if at, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/wchan"); strings.HasPrefix(string(at), "do_sigtimedwait") {
		return ""
	}
	return "its main process does not handle " + config.SignalName(sig) + ", as far as we can see (cginitctl signal sends it all the same)"
}
