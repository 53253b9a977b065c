package main

import (
	"os/exec"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// startUp measures the start and the end of /bin/true under each init: from the fork of the init until it
// was waited for. It measures that where the init is not process 1, so that cginit needs a guardian, and
// where it is process 1, as in a container, with and without a cgroup. There the time of the PID
// namespace is taken off: that of the command alone in one.
func startUp(l *lab) ([]*figure, error) {
	all := l.inits()
	var measured [3][]row
	for i, in := range []struct {
		name  string
		flags uintptr
		enter func() error
	}{
		{"start and end, not process 1", 0, nil},
		{"start and end, process 1", unix.CLONE_NEWPID, nil},
		{"start and end, process 1, no cgroup", unix.CLONE_NEWPID, hideCgroups},
	} {
		these := all
		if in.enter != nil {
			these = slices.DeleteFunc(slices.Clone(all), func(s subject) bool { return s.name == floorCgroups })
		}
		err := within(in.enter, func() error {
			measured[i] = l.interleave(in.name, l.pick(300, 60), names(these), func(k int) ([]float64, error) {
				return startAndEnd(these[k].prefix, in.flags)
			})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	times := &figure{
		Title: "Start and end of `/bin/true`",
		Note: "From the fork of the init until it was waited for. As process 1, what the command alone takes in a PID " +
			"namespace is taken off, so that the figure is what the init adds. In brackets: times the least in Go.",
	}
	for i, c := range []column{
		{Name: "not process 1", Line: "start and end of /bin/true, not process 1", Goals: []goal{{Than: floor, Times: 1.3}}},
		{Name: "process 1, with a cgroup", Line: "the same as process 1 with a cgroup", Goals: []goal{{Than: floor, Times: 1.25}}},
		{Name: "process 1, without a cgroup", Line: "the same as process 1 without a cgroup"},
	} {
		c.Unit, c.Digits, c.Reference, c.Chart = "ms", 2, floor, "startup"
		times.add([]column{c}, takenOff(only(measured[i], 0), i > 0))
	}
	return []*figure{times, startCosts(measured[1])}, nil
}

// startCosts is what the kernel counts of the same runs as process 1 with a cgroup.
func startCosts(rows []row) *figure {
	costs := &figure{
		Title: "Context switches and page faults of that, as process 1 with a cgroup",
		Note: "Of the same runs, as the kernel counts them (rusage): of the init with all of its threads, and of the " +
			"children that it has waited for, so `/bin/true` is in all of them; its own are in the first row.",
	}
	costs.add([]column{
		{Name: "context switches", Unit: "a run", Line: "context switches of that", Goals: []goal{{Plus: 70}}},
		{Name: "page faults", Unit: "a run", Line: "page faults of that", Goals: []goal{{Plus: 400}}},
	}, only(rows, 1, 2))
	return costs
}

// startAndEnd runs /bin/true below an init and returns the time in ms, the context switches and the page
// faults.
func startAndEnd(prefix []string, flags uintptr) ([]float64, error) {
	argv := append(slices.Clone(prefix), "/bin/true")
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
	begin := time.Now()
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	took := time.Since(begin)
	used := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return []float64{ms(took), float64(used.Nvcsw + used.Nivcsw), float64(used.Minflt + used.Majflt)}, nil
}

// only returns the rows with some of their cells.
func only(rows []row, cells ...int) []row {
	var some []row
	for _, r := range rows {
		s := row{Who: r.Who}
		for _, c := range cells {
			s.Cells = append(s.Cells, r.Cells[min(c, len(r.Cells)-1)])
		}
		some = append(some, s)
	}
	return some
}

// takenOff returns the rows less the value of the command alone, whose own cell says what was taken off.
func takenOff(rows []row, do bool) []row {
	if !do {
		return rows
	}
	at := slices.IndexFunc(rows, func(r row) bool { return r.Who == alone })
	less := rows[at].Cells[0].Value
	for i := range rows {
		c := &rows[i].Cells[0]
		if i == at || c.Runs == 0 {
			continue
		}
		c.Value, c.Least, c.Most = c.Value-less, c.Least-less, c.Most-less
	}
	rows[at].Cells[0] = cell{Text: "taken off: " + digits(less, 2)}
	return rows
}
