package cgroup

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Stats is what a cgroup and those below it have used so far. A field is nil if its controller is not
// enabled or the kernel is too old for it.
type Stats struct {
	// CPU is user and system time together. It needs no controller.
	CPU *time.Duration
	// MemoryPeak is the largest use of memory, in bytes (since Linux 5.19).
	MemoryPeak *uint64
	// PidsPeak is the largest number of processes and threads at once (since Linux 6.1).
	PidsPeak *uint64
	// OOMKills is the number of processes that the kernel killed because memory ran out.
	OOMKills *uint64
}

// Stats reads the statistics of the cgroup, as far as they are of these controllers.
func (d Dir) Stats(controllers []string) (s Stats) {
	if slices.Contains(controllers, "memory") {
		s.MemoryPeak, s.OOMKills = d.number("memory.peak"), d.field("memory.events", "oom_kill")
	}
	if slices.Contains(controllers, "pids") {
		s.PidsPeak = d.number("pids.peak")
	}
	if usec := d.field("cpu.stat", "usage_usec"); usec != nil {
		cpu := time.Duration(*usec) * time.Microsecond
		s.CPU = &cpu
	}
	return s
}

// number returns the number that a file consists of; nil if it cannot be read.
func (d Dir) number(file string) *uint64 {
	var content [statsBuffer]byte
	data, err := d.readStart(file, content[:])
	if err != nil {
		return nil
	}
	return parseNumber(data)
}

// field returns the number after a key in a file of lines; nil if there is none.
func (d Dir) field(file, key string) *uint64 {
	var content [statsBuffer]byte
	data, _ := d.readStart(file, content[:])
	for line := range bytes.Lines(data) {
		if name, value, _ := bytes.Cut(line, []byte(" ")); string(name) == key {
			return parseNumber(value)
		}
	}
	return nil
}

// statsBuffer is enough for the files that are read here, as far as their content is used.
const statsBuffer = 512

// readStart returns the beginning of a file, which one read gets: the kernel makes these files at once.
func (d Dir) readStart(file string, buf []byte) ([]byte, error) {
	fd, err := d.open(file, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	n, err := retry(func() (int, error) { return unix.Read(fd, buf) })
	return buf[:max(n, 0)], err
}

func parseNumber(data []byte) *uint64 {
	n, err := strconv.ParseUint(string(bytes.TrimSpace(data)), 10, 64)
	if err != nil {
		return nil
	}
	return &n
}

// isGone reports whether an error says that the process does not exist.
func isGone(err error) bool { return errors.Is(err, unix.ESRCH) }
