package supervisor

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/control"
)

// cause is what ended a run.
type cause = string

const (
	exited      cause = "exited"  // its main process ended by itself
	stopped     cause = "stopped" // on request
	killed      cause = "killed"  // on request, at once
	timedOut    cause = "timed-out"
	outOfMemory cause = "out-of-memory"
	startFailed cause = "start-failed"
	failing     cause = "failing"     // it was unhealthy, silent, or not ready in time
	leaseEnded  cause = "lease-ended" // whoever started it over the control socket has gone
)

// Receipt is the record that every teardown leaves. On the wire and in files it is the same.
type Receipt struct{ control.Receipt }

// Process is one that did not leave by itself.
type Process = control.Process

// maxListed bounds the processes that a receipt names: a fork bomb has no end of them.
const maxListed = 4096

// book gathers a receipt while the run goes on.
type book struct {
	started    time.Time
	asked      map[int]syscall.Signal
	processes  []Process
	killed     int
	unkillable int
	err        error
	receipt    Receipt // accounts, read before the containment goes
}

func (b *book) ask(sig syscall.Signal, pids ...int) {
	if b.asked == nil {
		b.asked = make(map[int]syscall.Signal, len(pids))
	}
	for _, pid := range pids {
		b.asked[pid] = sig
	}
}

// receipt closes the book of the run.
func (r *run) receipt(now time.Time) Receipt {
	b := &r.book
	v := b.receipt
	v.Job, v.Run, v.Cause, v.Command = r.name, r.number, r.cause, r.spec.Args
	v.Pid, v.Started, v.Ended = r.main.pid, b.started, now
	if ws := r.status; ws != nil && ws.Signaled() {
		v.Signal = config.SignalName(ws.Signal())
	} else if ws != nil {
		code := ws.ExitStatus()
		v.Code = &code
	}
	if b.err != nil {
		v.Error = b.err.Error()
	}
	if v.Cause == exited && v.OOMKills != nil && *v.OOMKills > 0 && v.Signal == "SIGKILL" {
		v.Cause = outOfMemory
	}
	v.Asked, v.Killed, v.Unkillable, v.Processes = len(b.asked), b.killed, b.unkillable, b.processes
	v.Omitted = max(0, b.killed+b.unkillable-len(b.processes))
	v.Left = v.Asked
	for _, p := range b.processes {
		if _, ok := b.asked[p.Pid]; ok {
			v.Left--
		}
	}
	v.Phases = r.phases()
	v.Containment = string(r.level)
	v.Guarantee = guarantee[r.level]
	v.ExitStatus = exitStatus(v.Cause, r)
	return v
}

func (r *run) phases() control.Phases {
	ms := func(states ...state) (sum float64) {
		for _, s := range states {
			sum += milliseconds(r.spent[s])
		}
		return sum
	}
	return control.Phases{
		Run: ms(running, waiting), Ask: ms(asking, stopping), Leave: ms(leaving),
		Freeze: ms(freezing), Kill: ms(killing),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// JSON returns the receipt as one line.
func (r Receipt) JSON() []byte {
	// Strings and numbers alone: this cannot fail.
	line, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	return append(line, '\n')
}

// Clean says that there is nothing in the receipt that a person must see.
func (r Receipt) Clean() bool {
	return r.Cause == exited && r.Killed+r.Unkillable+r.Asked == 0
}

// Summary tells the receipt in a few readable lines, the first without indent.
func (r Receipt) Summary() []string {
	lines := []string{fmt.Sprintf("%s: %s; %s", r.Job, r.end(), r.others())}
	const most = 8
	for _, p := range r.Processes[:min(most, len(r.Processes))] {
		lines = append(lines, "  "+describeKilled(p))
	}
	if more := r.Killed + r.Unkillable - min(most, len(r.Processes)); more > 0 && len(r.Processes) > 0 {
		lines = append(lines, fmt.Sprintf("  and %d more (--report FILE has them)", more))
	}
	return lines
}

func (r Receipt) end() string {
	took := r.Ended.Sub(r.Started).Round(time.Millisecond)
	switch {
	case r.Cause == startFailed:
		return "not started: " + r.Error
	case r.Signal == "" && r.Code == nil:
		return fmt.Sprintf("%s after %s, its main process has not ended", r.Cause, took)
	}
	how := "ended by " + r.Signal
	if r.Code != nil {
		how = fmt.Sprintf("exit code %d", *r.Code)
	}
	return fmt.Sprintf("%s after %s, %s", r.Cause, took, how)
}

func (r Receipt) others() string {
	if r.Asked+r.Killed+r.Unkillable == 0 {
		return "nothing was left"
	}
	words := fmt.Sprintf("%d asked to leave, %d did", r.Asked, r.Left)
	if r.Killed > 0 {
		words += fmt.Sprintf(", %d killed", r.Killed)
	}
	if r.Unkillable > 0 {
		return words + fmt.Sprintf(", %d cannot be killed and live on", r.Unkillable)
	}
	return words + "; nothing is left"
}

// describeKilled tells of a process in one line.
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

// markKilled turns all from unkillable to killed.
func (b *book) markKilled() {
	for i := range b.processes {
		b.processes[i].Outcome = "killed"
	}
	b.killed, b.unkillable = b.killed+b.unkillable, 0
}

// markUnkillable turns what is still there from killed to unkillable. None: it cannot be seen.
func (b *book) markUnkillable(left []Process) {
	if len(left) == 0 {
		b.unkillable = 1
	}
	for _, p := range left {
		p.Outcome = "unkillable"
		at := slices.IndexFunc(b.processes, func(q Process) bool { return q.Pid == p.Pid })
		if at < 0 {
			b.processes = append(b.processes, p)
			b.unkillable++
			continue
		}
		b.processes[at].Outcome, b.processes[at].State = p.Outcome, p.State
		b.killed--
		b.unkillable++
	}
}
