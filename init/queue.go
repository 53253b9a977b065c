package supervisor

import "github.com/cginit/cginit/init/life"

// message is what a goroutine has read: the loop calls it.
type message func()

// queue holds the events of jobs that wait for their turn: what a job does may concern others, and
// none of them changes in the middle of another's step.
type queue struct {
	notes   []jobNote
	changed bool // a job has changed, so that others may be able to go on
}

// jobNote is an event for a job.
type jobNote struct {
	job   *job
	event life.JobEvent
}

// add queues an event that needs no reason.
func (q *queue) add(j *job, kind life.JobEventKind) { q.addEvent(j, life.JobEvent{Kind: kind}) }

func (q *queue) addEvent(j *job, ev life.JobEvent) { q.notes = append(q.notes, jobNote{j, ev}) }

// take removes the first event; ok is false if there is none.
func (q *queue) take() (n jobNote, ok bool) {
	if len(q.notes) == 0 {
		return n, false
	}
	n = q.notes[0]
	q.notes = q.notes[1:]
	return n, true
}

// isEmpty tells whether no event waits.
func (q *queue) isEmpty() bool { return len(q.notes) == 0 }
