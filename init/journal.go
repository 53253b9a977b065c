package supervisor

import (
	"slices"
	"time"

	"github.com/cginit/cginit/init/control"
)

// The bounds of the journal's memory.
const (
	eventsKept    = 512 // events that a reader who comes back can still get
	processesKept = 16  // processes of a receipt in one of those events
)

// journal holds the last events and the clients that follow them.
type journal struct {
	isOn      bool            // there is a control socket; without one nobody can read events
	last      int             // the number of the last event
	kept      []control.Event // in a ring once there are eventsKept
	followers []*follower
}

// follower is an Events call that is sent every new event.
type follower struct {
	call *control.Call
	jobs []string // the jobs that it follows; empty: all
}

// wants tells whether the follower has asked for events of this job.
func (f *follower) wants(e *control.Event) bool {
	return len(f.jobs) == 0 || slices.Contains(f.jobs, e.Job)
}

// add numbers an event, keeps it, and sends it to the followers. It keeps at most processesKept
// processes of a receipt; followers get all of them.
func (j *journal) add(e control.Event) {
	if !j.isOn {
		return
	}
	j.last++
	e.Seq, e.Time = j.last, time.Now()
	j.followers = slices.DeleteFunc(j.followers, func(f *follower) bool {
		return f.wants(&e) && !f.call.Continue(control.EventsReply{Events: []control.Event{e}, Last: j.last})
	})
	if e.Receipt != nil && len(e.Receipt.Processes) > processesKept {
		short := *e.Receipt
		short.Omitted += len(short.Processes) - processesKept
		short.Processes = slices.Clone(short.Processes[:processesKept])
		e.Receipt = &short
	}
	if len(j.kept) < eventsKept {
		j.kept = append(j.kept, e)
		return
	}
	j.kept[(j.last-1)%eventsKept] = e
}

// each calls do with the events that are kept, the oldest first.
func (j *journal) each(do func(*control.Event)) {
	for seq := j.last - len(j.kept); seq < j.last; seq++ {
		do(&j.kept[seq%eventsKept])
	}
}

// addState adds an event with the present state of a job.
func (j *journal) addState(of *job) {
	j.add(control.Event{Kind: control.EventState, Job: of.spec.Name, Run: of.runs, State: of.shown(), Pid: of.run.shownPid()})
}

// addHealth adds an event with the present health of a job.
func (j *journal) addHealth(of *job) {
	j.add(control.Event{Kind: control.EventHealth, Job: of.spec.Name, Run: of.runs, Health: of.health.shown()})
}

// addFrozen adds the event that a job was frozen or thawed.
func (j *journal) addFrozen(of *job, frozen bool) {
	j.add(control.Event{Kind: control.EventFrozen, Job: of.spec.Name, Run: of.runs, Frozen: &frozen})
}

// addReceipt adds the event that a run has left a receipt.
func (j *journal) addReceipt(r *Receipt) {
	j.add(control.Event{Kind: control.EventReceipt, Job: r.Job, Run: r.Run, Receipt: &r.Receipt})
}

// addPhase adds an event about the supervisor itself, such as "up" or "stopping".
func (j *journal) addPhase(message string) {
	j.add(control.Event{Kind: control.EventSupervisor, Message: message})
}

// follow answers an Events call with the events that are kept. If the call asks for more, it
// becomes a follower.
func (j *journal) follow(c *control.Call, p *control.EventsParams) {
	f := &follower{call: c, jobs: p.Jobs}
	reply := control.EventsReply{Events: []control.Event{}, Last: j.last}
	if p.Since != nil {
		first := j.last - len(j.kept) + 1
		reply.Missed = max(0, first-max(*p.Since, 0)-1)
		j.each(func(e *control.Event) {
			if e.Seq > *p.Since && f.wants(e) {
				reply.Events = append(reply.Events, *e)
			}
		})
	}
	if !c.More {
		c.Reply(reply)
		return
	}
	if c.Continue(reply) {
		j.followers = append(j.followers, f)
	}
}

// drop removes the followers of a connection that has ended.
func (j *journal) drop(conn *control.Conn) {
	j.followers = slices.DeleteFunc(j.followers, func(f *follower) bool {
		if f.call.Conn != conn {
			return false
		}
		f.call.Fail(errConnectionEnded)
		return true
	})
}

// errConnectionEnded is the error of calls whose connection has ended before the reply.
var errConnectionEnded = control.Failed{Reason: "the connection has ended"}
