package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// memory measures the private memory that was written to (Private_Dirty in /proc/PID/smaps_rollup) of
// each init with one sleeping command, and of each supervisor with many sleeping services. Each is
// process 1 of a PID namespace, as in a container.
func memory(l *lab) ([]*figure, error) {
	one := &figure{
		Title: "Memory with one sleeping command",
		Note:  "Private pages that were written to, and resident ones, after a second of quiet, as process 1. A MB is 1,024 kB here.",
	}
	one.add([]column{
		{Name: "private", Unit: "MB", Digits: 2, Line: "private memory, one command", Goals: []goal{{Plus: 1.2}}},
		{Name: "resident", Unit: "MB", Digits: 2},
	}, memoryOfInits(l))
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

// memoryOfInits measures with one command.
func memoryOfInits(l *lab) []row {
	all := slices.DeleteFunc(l.inits(), func(s subject) bool { return s.prefix == nil || s.name == floorCgroups })
	start := func(i int) (*ward, error) {
		fifo, err := l.fifo()
		if err != nil {
			return nil, err
		}
		defer fifo.Close()
		w, err := l.enter(append(all[i].prefix, l.program("sleeper"), fifo.Name()), inside{first: true}, nil)
		if err != nil {
			return nil, err
		}
		if err := heard(fifo, 1, time.Minute); err != nil {
			w.end()
			return nil, err
		}
		return w, nil
	}
	return l.quiet("memory with one command", l.pick(9, 3), names(all), start, func(w *ward) ([]float64, error) {
		private, err := rollup(w.pid, "Private_Dirty")
		if err != nil {
			return nil, err
		}
		resident, err := rollup(w.pid, "Rss")
		return []float64{private, resident}, err
	})
}

// memoryOfCrews measures with n services.
func memoryOfCrews(l *lab, n int) []row {
	crews := l.crews()
	what, rounds := fmt.Sprintf("memory with %s services", thousands(n)), l.pick(5, 1)
	start := func(i int) (*ward, error) {
		w, _, err := crews[i].start(l, n, inside{first: true})
		return w, err
	}
	if n <= 100 {
		return l.quiet(what, rounds, namesOf(crews), start, privateOfAll)
	}
	// So many services of all supervisors at once could be too many for the machine.
	return l.interleave(what, 1, namesOf(crews), func(i int) ([]float64, error) {
		w, err := start(i)
		if err != nil {
			return nil, err
		}
		defer w.end()
		<-time.After(quietTime)
		return privateOfAll(w)
	})
}

// quietTime is how long everything has been running when memory is read: the work that the start has
// begun must be over.
const quietTime = time.Second

// quiet starts all contestants and reads each after a time of quiet, in several rounds.
func (l *lab) quiet(what string, rounds int, who []string, start func(int) (*ward, error), read func(*ward) ([]float64, error)) []row {
	wards, failed := make([]*ward, len(who)), make([]error, len(who))
	return l.interleave(what, rounds, who, func(i int) ([]float64, error) {
		if wards[i] == nil && failed[i] == nil { // all have been read: a new round begins
			for k := range who {
				if failed[k] == nil {
					wards[k], failed[k] = start(k)
				}
			}
			<-time.After(quietTime)
		}
		if failed[i] != nil {
			return nil, failed[i]
		}
		defer func() { wards[i].end(); wards[i] = nil }()
		return read(wards[i])
	})
}

// privateOfAll returns the private memory of all processes of a supervisor but the services.
func privateOfAll(w *ward) ([]float64, error) {
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
