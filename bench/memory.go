package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// quiet is how long everything has been running when memory is read: the work that the start has begun
// must be over.
const quiet = time.Second

// memory measures the private memory that was written to (Private_Dirty in /proc/PID/smaps_rollup) of
// each init with one sleeping command, and of each supervisor with many sleeping services. Each is
// process 1 of a PID namespace, as in a container.
func memory(l *lab) ([]*figure, error) {
	one, err := memoryOfInits(l)
	if err != nil {
		return nil, err
	}
	many := &figure{
		Title: "Private memory with n sleeping services",
		Note: "Private pages that were written to, after a second of quiet, as process 1: of the supervisor and all " +
			"processes that it keeps beside the services, without the services. A MB is 1,024 kB here.",
	}
	crowds := l.crowds()
	if l.short {
		crowds = crowds[:2]
	}
	for _, n := range crowds {
		aim := map[int]float64{1: 0.8, 100: 1.5, 1000: 4, 4000: 12}[n]
		many.add([]column{{
			Name: thousands(n), Unit: "MB", Digits: 2, Line: "private memory, services: " + thousands(n),
			Goals: []goal{{Plus: aim}},
		}}, memoryOfCrews(l, n))
	}
	return []*figure{one, many}, nil
}

// memoryOfInits measures with one command. All run at the same time, each with a second of quiet.
func memoryOfInits(l *lab) (*figure, error) {
	f := &figure{
		Title: "Memory with one sleeping command",
		Note:  "Private pages that were written to, and resident ones, after a second of quiet, as process 1.",
	}
	var rows []row
	var wards []*ward
	for _, s := range l.inits() {
		if s.prefix == nil {
			continue
		}
		fifo, err := l.fifo()
		if err != nil {
			return nil, err
		}
		defer fifo.Close()
		w, err := l.enter(append(s.prefix, l.program("sleeper"), fifo.Name()), inside{first: true}, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		defer w.end()
		if err := heard(fifo, 1, time.Minute); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		wards, rows = append(wards, w), append(rows, row{Who: s.name})
	}
	<-time.After(quiet)
	for i, w := range wards {
		private, err := rollup(w.pid, "Private_Dirty")
		if err != nil {
			return nil, err
		}
		resident, err := rollup(w.pid, "Rss")
		if err != nil {
			return nil, err
		}
		rows[i].Cells = []cell{cellOf([]float64{private}), cellOf([]float64{resident})}
	}
	f.add([]column{
		{Name: "private", Unit: "MB", Digits: 2, Line: "private memory, one command", Goals: []goal{{Plus: 1.2}}},
		{Name: "resident", Unit: "MB", Digits: 2},
	}, rows)
	return f, nil
}

// memoryOfCrews measures with n services, one supervisor after another. Few services are started of all
// supervisors at once, and share the quiet.
func memoryOfCrews(l *lab, n int) []row {
	crews := l.crews()
	wards, failed := make([]*ward, len(crews)), make([]error, len(crews))
	for i, c := range crews {
		if n <= 100 {
			if wards[i], _, failed[i] = c.start(l, n, inside{first: true}); failed[i] == nil {
				defer wards[i].end()
			}
		}
	}
	<-time.After(quiet)
	return l.interleave(fmt.Sprintf("memory with %s services", thousands(n)), 1, namesOf(crews), func(i int) ([]float64, error) {
		w, err := wards[i], failed[i]
		if err != nil {
			return nil, err
		}
		if w == nil {
			if w, _, err = crews[i].start(l, n, inside{first: true}); err != nil {
				return nil, err
			}
			defer w.end()
			<-time.After(quiet)
		}
		total := 0.0
		for _, pid := range w.members() {
			if exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); filepath.Base(exe) == "sleeper" {
				continue
			}
			if mb, err := rollup(pid, "Private_Dirty"); err == nil { // else it has just ended
				total += mb
			}
		}
		return []float64{total}, nil
	})
}

// rollup returns a field of /proc/PID/smaps_rollup in MB.
func rollup(pid int, field string) (float64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return math.NaN(), err
	}
	return fieldOf(string(data), field)
}

// fieldOf returns a field of the text of a smaps_rollup, in MB.
func fieldOf(text, field string) (float64, error) {
	_, rest, ok := strings.Cut(text, "\n"+field+":")
	words := strings.Fields(rest)
	if !ok || len(words) == 0 {
		return math.NaN(), fmt.Errorf("there is no %s", field)
	}
	kb, err := strconv.Atoi(words[0])
	return float64(kb) / 1024, err
}
