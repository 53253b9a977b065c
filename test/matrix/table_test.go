package matrix

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// score is the result of the runs of a cell.
type score struct {
	runs, failed int
	slowest      time.Duration
}

// table is the summary that a person reads.
type table struct {
	sync.Mutex
	scores map[cell]score
}

func (t *table) add(c cell, took time.Duration, err error) {
	t.Lock()
	defer t.Unlock()
	if t.scores == nil {
		t.scores = map[cell]score{}
	}
	s := t.scores[c]
	s.runs++
	if err != nil {
		s.failed++
	}
	s.slowest = max(s.slowest, took)
	t.scores[c] = s
}

// print writes one row for each kind, size and mode. In it each end has the number of good runs, the
// number of all runs, and the time of the slowest.
func (t *table) print(to io.Writer) {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "tree\tmode\t%s\n", strings.Join(ends, "\t"))
	rows := map[cell]map[string]score{}
	var total score
	for c, s := range t.scores {
		row := cell{kind: c.kind, size: c.size, mode: c.mode}
		if rows[row] == nil {
			rows[row] = map[string]score{}
		}
		rows[row][c.end] = s
		total.runs, total.failed = total.runs+s.runs, total.failed+s.failed
	}
	for _, row := range sorted(rows) {
		fmt.Fprintf(w, "%s %d\t%s", row.kind, row.size, row.mode)
		for _, end := range ends {
			s := rows[row][end]
			fmt.Fprintf(w, "\t%d/%d %.1fs", s.runs-s.failed, s.runs, s.slowest.Seconds())
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "%d cells, %d runs, %d failed\n", len(t.scores), total.runs, total.failed)
	w.Flush()
}

func sorted(rows map[cell]map[string]score) []cell {
	var all []cell
	for row := range rows {
		all = append(all, row)
	}
	slices.SortFunc(all, func(a, b cell) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.size, b.size), cmp.Compare(a.mode, b.mode))
	})
	return all
}
