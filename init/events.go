package supervisor

import (
	"slices"
	"time"

	"github.com/cginit/cginit/init/control"
)

const (
	eventsKept    = 512 // for a reader that comes back
	processesKept = 16  // of a receipt in one of them
)

// journal is the last events, and who follows them.
type journal struct {
	last      int // the number of the last event
	kept      []control.Event
	followers []*follower
}

// follower is an Events call that goes on.
type follower struct {
	call *control.Call
	jobs []string // none: all
}

func (f *follower) wants(e *control.Event) bool {
	return len(f.jobs) == 0 || slices.Contains(f.jobs, e.Job)
}

// tell adds an event, and sends it to those who follow. Without a control socket nobody can.
func (s *Supervisor) tell(e control.Event) {
	if s.server == nil {
		return
	}
	j := &s.journal
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
	if len(j.kept) == eventsKept {
		copy(j.kept, j.kept[1:])
		j.kept = j.kept[:eventsKept-1]
	}
	j.kept = append(j.kept, e)
}

// tellState tells that something about a job has changed.
func (s *Supervisor) tellState(j *job) {
	e := control.Event{Kind: control.EventState, Job: j.spec.Name, Run: j.runs, State: j.shown()}
	if j.run != nil {
		e.Pid = j.run.main.pid
	}
	s.tell(e)
}

func (s *Supervisor) tellHealth(j *job) {
	s.tell(control.Event{Kind: control.EventHealth, Job: j.spec.Name, Run: j.runs, Health: j.health.shown()})
}

func (s *Supervisor) tellFrozen(j *job, frozen bool) {
	s.tell(control.Event{Kind: control.EventFrozen, Job: j.spec.Name, Run: j.runs, Frozen: &frozen})
}

func (s *Supervisor) tellReceipt(r *Receipt) {
	s.tell(control.Event{Kind: control.EventReceipt, Job: r.Job, Run: r.Run, Receipt: &r.Receipt})
}

// tellPhase tells how far the supervisor itself has come.
func (s *Supervisor) tellPhase(message string) {
	s.tell(control.Event{Kind: control.EventSupervisor, Message: message})
}

// follow answers an Events call: with what is kept, and, if more is asked for, with what comes.
func (s *Supervisor) follow(c *control.Call, p *control.EventsParams) {
	j := &s.journal
	f := &follower{call: c, jobs: p.Jobs}
	reply := control.EventsReply{Events: []control.Event{}, Last: j.last}
	if p.Since != nil {
		first := j.last - len(j.kept) + 1
		reply.Missed = max(0, first-max(*p.Since, 0)-1)
		for i := range j.kept {
			if e := &j.kept[i]; e.Seq > *p.Since && f.wants(e) {
				reply.Events = append(reply.Events, *e)
			}
		}
	}
	if !c.More {
		c.Reply(reply)
		return
	}
	if c.Continue(reply) {
		j.followers = append(j.followers, f)
	}
}
