package cgroup

import (
	"bytes"
	"errors"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Stats is what a cgroup has used. A nil field could not be had: its controller is not
// enabled, or the kernel is too old for it.
type Stats struct {
	CPU        *time.Duration // user and system time; needs no controller
	MemoryPeak *uint64        // bytes; since Linux 5.19
	PidsPeak   *uint64        // processes and threads; since Linux 6.1
	OOMKills   *uint64        // processes killed for want of memory
}

// Stats reads the accounts.
func (d Dir) Stats() Stats {
	s := Stats{
		MemoryPeak: d.number("memory.peak"), PidsPeak: d.number("pids.peak"),
		OOMKills: d.field("memory.events", "oom_kill"),
	}
	if usec := d.field("cpu.stat", "usage_usec"); usec != nil {
		cpu := time.Duration(*usec) * time.Microsecond
		s.CPU = &cpu
	}
	return s
}

// number reads a file that holds one number, field the number behind a key.
func (d Dir) number(file string) *uint64 {
	data, err := d.read(file)
	if err != nil {
		return nil
	}
	return parseNumber(data)
}

func (d Dir) field(file, key string) *uint64 {
	data, _ := d.read(file)
	for line := range bytes.Lines(data) {
		if name, value, _ := bytes.Cut(line, []byte(" ")); string(name) == key {
			return parseNumber(value)
		}
	}
	return nil
}

func parseNumber(data []byte) *uint64 {
	n, err := strconv.ParseUint(string(bytes.TrimSpace(data)), 10, 64)
	if err != nil {
		return nil
	}
	return &n
}

func isGone(err error) bool { return errors.Is(err, unix.ESRCH) }
