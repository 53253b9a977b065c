package supervisor

import (
	"os"
	"slices"
)

// runs are the runs that have not ended.
type runs []*run

// clone is for loops in which runs may end.
func (rs runs) clone() runs { return slices.Clone(rs) }

// isOwner tells whether steps or probes run inside a run.
func (rs runs) isOwner(r *run) bool {
	return slices.ContainsFunc(rs, func(q *run) bool { return q.owner == r })
}

// areStuck tells whether there are runs, and none of them can be killed.
func (rs runs) areStuck() bool {
	return len(rs) > 0 && !slices.ContainsFunc(rs, func(r *run) bool { return !r.isStuck() })
}

// reader returns the terminal of the last run that is to have what we read; nil: there is none.
func (rs runs) reader() *os.File {
	for _, r := range slices.Backward(rs) {
		if r.role == roleMain && r.spec.StdinOpen && r.pipes != nil && r.pipes.ours != nil {
			return r.pipes.ours
		}
	}
	return nil
}
