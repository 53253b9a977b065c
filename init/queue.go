package supervisor

import "github.com/cginit/cginit/init/life"

// message is something that a goroutine has read. The loop calls it.
type message func()

// queue holds events of jobs until their turn comes. An event of one job can affect others, so no
// job changes in the middle of another's step.
type queue struct {
	notes   []jobNote
	taken   int  // how many of notes have been taken
	changed bool // a job has changed, so others may have to start or stop
}

// jobNote is an event and the job that it is for.
type jobNote struct {
	job   *job
	event life.JobEvent
}

// add queues an event that needs no more than its kind.
func (q *queue) add(j *job, kind life.JobEventKind) { q.addEvent(j, life.JobEvent{Kind: kind}) }

// addEvent queues an event.
func (q *queue) addEvent(j *job, ev life.JobEvent) { q.notes = append(q.notes, jobNote{j, ev}) }

// take removes and returns the first event; ok is false if there is none.
func (q *queue) take() (n jobNote, ok bool) {
	if q.isEmpty() {
		return n, false
	}
	n = q.notes[q.taken]
	q.taken++
	switch {
	case q.taken < len(q.notes):
	case cap(q.notes) > queueKept: // thousands of jobs have started or stopped at once
		q.notes, q.taken = nil, 0
	default:
		q.notes, q.taken = q.notes[:0], 0
	}
	return n, true
}

// queueKept bounds the events for which an empty queue keeps the memory.
const queueKept = 64

// isEmpty tells whether no event waits.
func (q *queue) isEmpty() bool { return q.taken == len(q.notes) }
