package cgroup

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/containerd/cgroups/v3/cgroup2"
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
	var s Stats
	m, err := d.manager(Dir(filepath.Dir(string(d)))).StatFiltered(cgroup2.StatCPU | cgroup2.StatMemoryEvents)
	if err == nil {
		cpu := time.Duration(m.CPU.GetUsageUsec()) * time.Microsecond
		s.CPU = &cpu
		if slices.Contains(d.words("cgroup.controllers"), "memory") {
			oom := m.MemoryEvents.GetOomKill()
			s.OOMKills = &oom
		}
	}
	// The library has no pids.peak, and answers 0 where memory.peak is missing.
	s.MemoryPeak, s.PidsPeak = d.number("memory.peak"), d.number("pids.peak")
	return s
}

func (d Dir) number(file string) *uint64 {
	data, err := d.read(file)
	if err != nil {
		return nil
	}
	n, err := strconv.ParseUint(string(bytes.TrimSpace(data)), 10, 64)
	if err != nil {
		return nil
	}
	return &n
}

func isGone(err error) bool { return errors.Is(err, unix.ESRCH) }
