package supervisor

import (
	"os"
	"slices"
)

// runs are the runs that have not ended, in any order.
type runs []*run

// add adds a run, and counts it with its owner.
func (rs *runs) add(r *run) {
	r.place = int32(len(*rs))
	*rs = append(*rs, r)
	if r.owner != nil {
		r.owner.attendants++
	}
}

// remove removes a run: the last one takes its place.
func (rs *runs) remove(r *run) {
	last := len(*rs) - 1
	moved := (*rs)[last]
	(*rs)[r.place], moved.place = moved, r.place
	(*rs)[last] = nil
	*rs = (*rs)[:last]
	if r.owner != nil {
		r.owner.attendants--
	}
}

// clone returns a copy, for loops in which a run may end.
func (rs runs) clone() runs { return slices.Clone(rs) }

// of returns the steps and probes of a run that have not ended.
func (rs runs) of(r *run) (attendants runs) {
	for _, q := range rs {
		if len(attendants) == int(r.attendants) {
			break
		}
		if q.owner == r {
			attendants = append(attendants, q)
		}
	}
	return attendants
}

// bereft returns the runs whose main process has ended.
func (rs runs) bereft() (left runs) {
	for _, r := range rs {
		if r.Status() != nil {
			left = append(left, r)
		}
	}
	return left
}

// areStuck tells whether there are runs and each of them is stuck.
func (rs runs) areStuck() bool {
	return len(rs) > 0 && !slices.ContainsFunc(rs, func(r *run) bool { return !r.isStuck() })
}

// reader returns the terminal of the newest run that reads our standard input; nil if there is
// none.
func (rs runs) reader() *os.File {
	var newest *run
	for _, r := range rs {
		reads := r.role == roleMain && r.spec.StdinOpen && r.pipes != nil && r.pipes.ours != nil
		if reads && (newest == nil || r.book.started.After(newest.book.started)) {
			newest = r
		}
	}
	if newest == nil {
		return nil
	}
	return newest.pipes.ours
}

// haveSealed tells whether a process belongs to a run that is sealed. One that is gone could have, if there is any.
// 0 is one outside of our PID namespace, which no job is.
func (rs runs) haveSealed(pid int) bool {
	return slices.ContainsFunc(rs, func(r *run) bool {
		if pid == 0 || !r.spec.Seal || r.held == nil {
			return false
		}
		owns, known := r.held.Owns(pid)
		return owns || !known
	})
}
