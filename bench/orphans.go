package main

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// orphans measures how long it takes to make orphans, as fast as one process can, until the init has
// reaped the last of them. Meanwhile a signal is sent to the init every few milliseconds, which it has to
// pass on to the command.
func orphans(l *lab) ([]*figure, error) {
	all := slices.DeleteFunc(l.inits(), func(s subject) bool { return s.prefix == nil || s.name == floorCgroups })
	f := &figure{
		Title: "Orphans",
		Note: "n processes made one after another that end as orphans, until the init, as process 1, has reaped the last. " +
			"Meanwhile SIGUSR1 is sent to the init every 5 ms: the time until it has reached the command. The least in Go passes " +
			"no signals on. In brackets: times tini's rate.",
	}
	counts := []int{20000, 50000}
	if l.short {
		counts = []int{5000}
	}
	for _, n := range counts {
		latencies := make([][]float64, len(all))
		rows := l.interleave(fmt.Sprintf("%d orphans", n), l.pick(5, 1), names(all), func(i int) ([]float64, error) {
			took, asked, err := l.makeOrphans(all[i], n)
			latencies[i] = append(latencies[i], asked...)
			return []float64{took.Seconds(), float64(n) / took.Seconds(), 0}, err
		})
		for i := range rows {
			if rows[i].Cells[0].Runs > 0 {
				slices.Sort(latencies[i])
				rows[i].Cells[2] = quantileCell(latencies[i], 0.99)
			}
		}
		name := thousands(n)
		f.add([]column{
			{Name: name, Unit: "s", Digits: 2, Line: name + " orphans made and reaped"},
			{Name: name + ", rate", Unit: "a second", Reference: tini, Line: "orphans a second of " + name, Goals: []goal{{Than: tini, Times: 0.95, Least: true}}},
			{Name: name + ", a signal meanwhile, p99", Unit: "ms", Digits: 2, Line: "a signal meanwhile, p99", Goals: []goal{{Plus: 20}}},
		}, rows)
	}
	return []*figure{f}, nil
}

// makeOrphans runs one init with a command that answers signals, beside which n orphans are made. It
// returns how long that took, and how long the answers took in ms.
func (l *lab) makeOrphans(s subject, n int) (took time.Duration, asked []float64, err error) {
	fifo, err := l.fifo()
	if err != nil {
		return 0, nil, err
	}
	defer fifo.Close()
	r, out, err := os.Pipe()
	if err != nil {
		return 0, nil, err
	}
	defer r.Close()
	// The maker waits for the command's announcement, so that all signals find it.
	script := fmt.Sprintf(`{ sleep 0.2; exec %s orphans %d; } & exec %s %s >&2`, l.program("tree"), n, l.program("sleeper"), fifo.Name())
	w, err := l.enter(append(slices.Clone(s.prefix), "/bin/sh", "-c", script), inside{first: true}, out)
	out.Close()
	if err != nil {
		return 0, nil, err
	}
	defer w.end()
	e, err := openEcho(w.pid, fifo)
	if err != nil {
		return 0, nil, err
	}
	defer e.close()
	lines := bufio.NewReader(r)
	if line, err := lines.ReadString('\n'); err != nil || line != "begin\n" {
		return 0, nil, fmt.Errorf("no orphans are made: %q, %w", line, err)
	}
	begin := time.Now()
	done := []unix.PollFd{{Fd: int32(r.Fd()), Events: unix.POLLIN}}
	for {
		if ready, _ := unix.Poll(done, 5); ready > 0 {
			break
		}
		if s.name == floor {
			continue
		}
		answer, err := e.ask(30 * time.Second)
		if err != nil {
			return 0, nil, err
		}
		asked = append(asked, ms(answer))
	}
	took = time.Since(begin)
	if line, err := lines.ReadString('\n'); err != nil || line != "done\n" {
		return 0, nil, fmt.Errorf("not all orphans were reaped: %q, %w", line, err)
	}
	return took, asked, nil
}
