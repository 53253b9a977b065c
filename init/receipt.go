package supervisor

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/child"
	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/config/programs"
	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/init/hold"
	"github.com/cginit/cginit/init/life"
	"github.com/cginit/cginit/init/status"
)

// Receipt is the record of one teardown. It has the same form on the wire and in files.
type Receipt struct{ control.Receipt }

// Process is a process that did not end by itself.
type Process = control.Process

// maxListed bounds how many processes a receipt names: a fork bomb has no end of them.
const maxListed = 4096

// book collects the contents of the receipt while the run goes on.
type book struct {
	started    time.Time
	usage      hold.Usage             // read before the containment is removed
	asked      map[int]syscall.Signal // the last signal that each pid was sent
	processes  []Process              // the processes that were killed or cannot be, at most maxListed of the former
	listed     []int                  // the pids of all that were to be killed
	killed     int                    // how many of them were killed
	unkillable int                    // how many cannot be killed
	unseen     error                  // why a list is incomplete; nil: none is
	err        error                  // why the command could not be started
	killUnseen bool                   // the list of those to be killed is incomplete
	lost       bool                   // nobody here knows how the main process has ended
}

// ask records that processes were sent a signal.
func (b *book) ask(sig syscall.Signal, pids ...int) {
	if b.asked == nil {
		b.asked = make(map[int]syscall.Signal, len(pids))
	}
	for _, pid := range pids {
		b.asked[pid] = sig
	}
}

// toKill notes the processes that are to be killed, instead of those of an earlier kill. With an error the
// list is incomplete.
func (b *book) toKill(pids []int, err error) {
	b.listed, b.processes, b.killed, b.unkillable, b.killUnseen = pids, nil, len(pids), 0, err != nil
	b.doubt(err)
}

// doubt notes that a list of processes is incomplete, if err is not nil.
func (b *book) doubt(err error) {
	if err != nil {
		b.unseen = err
	}
}

// receipt returns the receipt of the run as of now.
func (r *run) receipt(now time.Time) Receipt {
	b := &r.book
	var v Receipt
	v.Job, v.Run, v.Cause, v.Command = r.name, r.number, r.Cause(), r.spec.Args
	v.Pid, v.Started, v.Ended = r.pid(), b.started, now
	v.measure(b.usage)
	switch ws := r.Status(); {
	case b.lost:
		v.Error = "nobody knows how its main process has ended"
	case ws != nil && ws.Signaled():
		v.Signal = config.SignalName(ws.Signal())
	case ws != nil:
		code := ws.ExitStatus()
		v.Code = &code
	}
	if b.err != nil {
		v.Error = b.err.Error()
	}
	if v.Cause == life.Exited && v.OOMKills != nil && *v.OOMKills > 0 && v.Signal == "SIGKILL" {
		v.Cause = life.OutOfMemory
	}
	if sig, wasAsked := b.asked[r.pid()]; wasAsked {
		v.StopSignal, v.StopWhy = config.SignalName(sig), r.spec.StopWhy
		v.Hint = r.hint(sig)
	}
	b.count(&v)
	v.Phases = r.phases()
	v.Containment, v.Guarantee = string(r.level), r.level.GuaranteeFor(&r.spec.Identity)
	v.ExitStatus = r.exitStatus(v.Cause)
	v.Success = v.ExitStatus == 0 && (v.Signal != "" || v.Code != nil && *v.Code != 0)
	return v
}

// hint says why the main process had to be killed although it was asked with a signal, if that is known of its program.
func (r *run) hint(sig syscall.Signal) string {
	if ws := r.Status(); ws == nil || !ws.Signaled() || ws.Signal() != syscall.SIGKILL {
		return ""
	}
	p, name := programs.Find(r.spec.Args)
	took := r.Spent(life.RunAsking, life.RunStopping).Round(100 * time.Millisecond)
	if why := p.Slow(sig, took); why != "" {
		return fmt.Sprintf("killed %s after %s: it %s", name, took, why)
	}
	return ""
}

// measure fills in the resources that the run has used.
func (r *Receipt) measure(u hold.Usage) {
	r.MemoryPeak, r.PidsPeak, r.OOMKills = u.MemoryPeak, u.PidsPeak, u.OOMKills
	if u.CPU != nil {
		ms := milliseconds(*u.CPU)
		r.CPU = &ms
	}
}

// count fills in how many processes were asked, left, were killed, and could not be killed. Who was asked
// and is not among those that were to be killed has left.
func (b *book) count(v *Receipt) {
	v.Asked, v.Killed, v.Unkillable, v.Processes = len(b.asked), b.killed, b.unkillable, b.processes
	v.Omitted = max(0, b.killed+b.unkillable-len(b.processes))
	if b.unseen != nil {
		v.Incomplete = b.unseen.Error()
	}
	if b.killUnseen {
		return // nobody can be said to have left
	}
	v.Left = v.Asked
	for _, pid := range b.listed {
		if _, ok := b.asked[pid]; ok {
			v.Left--
		}
	}
}

// exitStatus returns the exit status that cginit gives for a run that has ended.
func (r *run) exitStatus(c life.Cause) int {
	ws := r.Status()
	switch {
	case r.book.unkillable > 0:
		return status.Failed
	case c == life.StartFailed:
		return child.ExitStatus(r.book.err)
	case c == life.TimedOut:
		return status.TimedOut
	case ws != nil && !r.book.lost && r.spec.IsSuccess(*ws, r.book.asked[r.pid()] != 0):
		return 0
	case ws == nil: // stopped before its start
		return status.Signal + int(syscall.SIGTERM)
	case ws.Signaled():
		return status.Signal + int(ws.Signal())
	}
	return ws.ExitStatus()
}

// phases returns how many milliseconds the run has been in each phase.
func (r *run) phases() control.Phases {
	ms := func(states ...life.RunState) float64 { return milliseconds(r.Spent(states...)) }
	return control.Phases{
		Run: ms(life.RunRunning, life.RunWaiting), Ask: ms(life.RunAsking, life.RunStopping), Leave: ms(life.RunLeaving),
		Freeze: ms(life.RunFreezing), Kill: ms(life.RunKilling),
	}
}

// milliseconds returns a duration in milliseconds, to the microsecond.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// JSON returns the receipt as one line of JSON with a newline.
func (r Receipt) JSON() []byte {
	// A receipt holds only strings, numbers and times, so this cannot fail.
	line, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	return append(line, '\n')
}

// Clean tells whether the receipt holds nothing that a person should look at.
func (r Receipt) Clean() bool {
	return r.Cause == life.Exited && r.Killed+r.Unkillable+r.Asked == 0 && r.Incomplete == ""
}

// Summary returns the receipt in a few readable lines. The first is not indented.
func (r Receipt) Summary() []string {
	lines := []string{fmt.Sprintf("%s: %s; %s", r.Job, r.end(), r.others())}
	if r.Hint != "" {
		lines = append(lines, "  "+r.Hint)
	}
	const most = 8
	for _, p := range r.Processes[:min(most, len(r.Processes))] {
		lines = append(lines, "  "+describeKilled(p))
	}
	if more := r.Killed + r.Unkillable - min(most, len(r.Processes)); more > 0 && len(r.Processes) > 0 {
		lines = append(lines, fmt.Sprintf("  and %d more (--report FILE has them)", more))
	}
	return lines
}

// end returns in words how the run ended.
func (r Receipt) end() string {
	took := r.Ended.Sub(r.Started).Round(time.Millisecond)
	switch {
	case r.Cause == life.StartFailed:
		return "not started: " + r.Error
	case r.Signal == "" && r.Code == nil:
		return fmt.Sprintf("%s after %s, %s", r.Cause, took, cmp.Or(r.Error, "its main process has not ended"))
	}
	how := "ended by " + r.Signal
	if r.Code != nil {
		how = fmt.Sprintf("exit code %d", *r.Code)
	}
	if r.Success {
		how += ", which counts as success"
	}
	if r.StopWhy != "" {
		how += fmt.Sprintf(", asked by %s (%s)", r.StopSignal, r.StopWhy)
	}
	return fmt.Sprintf("%s after %s, %s", r.Cause, took, how)
}

// others returns in words what happened to the other processes.
func (r Receipt) others() string {
	words := fmt.Sprintf("%d asked to leave, %d did", r.Asked, r.Left)
	switch {
	case r.Incomplete != "":
		words = fmt.Sprintf("how many were left is unknown (%s), at least %s", r.Incomplete, words)
	case r.Asked+r.Killed+r.Unkillable == 0:
		return "nothing was left"
	}
	if r.Killed > 0 {
		words += fmt.Sprintf(", %d killed", r.Killed)
	}
	if r.Unkillable > 0 {
		return words + fmt.Sprintf(", %d cannot be killed and live on", r.Unkillable)
	}
	return words + "; nothing is left"
}

// describeKilled returns a line about one process of a receipt.
func describeKilled(p Process) string {
	s := fmt.Sprintf("%s %d %q", p.Outcome, p.Pid, p.Command)
	if p.Age > 0 {
		s += fmt.Sprintf(", %s old", (time.Duration(p.Age) * time.Millisecond).Round(10*time.Millisecond))
	}
	if len(p.Reasons) > 0 {
		s += ": " + strings.Join(p.Reasons, ", ")
	}
	return s
}

// markKilled counts all unkillable processes as killed.
func (b *book) markKilled() {
	for i := range b.processes {
		b.processes[i].Outcome = "killed"
	}
	b.killed, b.unkillable = b.killed+b.unkillable, 0
}

// markUnkillable counts the processes that are left as unkillable instead of killed. If left is
// empty, because they cannot be listed, it counts one.
func (b *book) markUnkillable(left []Process) {
	if len(left) == 0 {
		b.unkillable = 1
	}
	for _, p := range left {
		p.Outcome = "unkillable"
		b.unkillable++
		if slices.Contains(b.listed, p.Pid) {
			b.killed--
		} else {
			b.listed = append(b.listed, p.Pid)
		}
		at := slices.IndexFunc(b.processes, func(q Process) bool { return q.Pid == p.Pid })
		if at < 0 {
			b.processes = append(b.processes, p)
			continue
		}
		b.processes[at].Outcome, b.processes[at].State = p.Outcome, p.State
	}
}
