package config

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// stopEnds returns, for each of the jobs, how long after the beginning of a shutdown its stop ends at the
// latest: the jobs that depend on it are stopped first. Only grace periods that are written in the file
// count.
func (f *File) stopEnds() []time.Duration {
	ends := make([]time.Duration, len(f.Jobs))
	known := make([]bool, len(f.Jobs))
	dependents := map[string][]int{} // the jobs that depend on each, as indices of Jobs
	for i, j := range f.Jobs {
		for _, d := range j.After {
			dependents[d.Job] = append(dependents[d.Job], i)
		}
	}
	var end func(i int) time.Duration
	end = func(i int) time.Duration {
		if known[i] {
			return ends[i]
		}
		known[i] = true // the dependencies have no circles
		for _, k := range dependents[f.Jobs[i].Name] {
			ends[i] = max(ends[i], end(k))
		}
		if f.Jobs[i].GraceWritten {
			ends[i] += f.Jobs[i].GracePeriod
		}
		return ends[i]
	}
	for i := range f.Jobs {
		end(i)
	}
	return ends
}

// setBudget sets the time for the whole shutdown of a file that does not say it: the default, or as much
// as the grace periods in the file need.
func (f *File) setBudget() {
	f.GracePeriod = max(DefaultGracePeriod, slices.MaxFunc(append(f.stopEnds(), 0), cmp.Compare))
}

// Cuts returns a line for each job whose grace period does not fit into the time for the whole shutdown.
func (f *File) Cuts() (lines []string) {
	for i, end := range f.stopEnds() {
		j := f.Jobs[i]
		missing := min(end-f.GracePeriod, j.GracePeriod)
		if !j.GraceWritten || missing <= 0 {
			continue
		}
		with := "it"
		if end > j.GracePeriod {
			with = "what depends on it"
		}
		lines = append(lines, fmt.Sprintf("%s: its stop_grace_period of %s can be cut by %s: with %s a stop takes up to %s, and the whole shutdown has %s"+
			" (stop_grace_period at the top, or --stop-grace-period)", j.Name, j.GracePeriod, missing, with, end, f.GracePeriod))
	}
	return lines
}
