package supervisor

import (
	"os"
	"slices"
)

// runs are the runs that have not ended.
type runs []*run

// clone returns a copy, for loops in which a run may end.
func (rs runs) clone() runs { return slices.Clone(rs) }

// isOwner tells whether a run has steps or probes that have not ended.
func (rs runs) isOwner(r *run) bool {
	return slices.ContainsFunc(rs, func(q *run) bool { return q.owner == r })
}

// areStuck tells whether there are runs and each of them is stuck.
func (rs runs) areStuck() bool {
	return len(rs) > 0 && !slices.ContainsFunc(rs, func(r *run) bool { return !r.isStuck() })
}

// reader returns the terminal of the newest run that reads our standard input; nil if there is
// none.
func (rs runs) reader() *os.File {
	for _, r := range slices.Backward(rs) {
		if r.role == roleMain && r.spec.StdinOpen && r.pipes != nil && r.pipes.ours != nil {
			return r.pipes.ours
		}
	}
	return nil
}
