package config

import (
	"fmt"
	"math"
	"strconv"

	"github.com/docker/go-units"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// cpuPeriod is the period for which a CPU limit is counted, in microseconds.
const cpuPeriod = 100_000

// Limits collects the three limits that have flags, in Docker's spelling. Each Set method parses the
// value of one flag into its part of the OCI resources.
type Limits struct{ specs.LinuxResources }

// Resources returns the limits; nil if none is set.
func (l *Limits) Resources() *specs.LinuxResources {
	if l.Memory == nil && l.CPU == nil && l.Pids == nil {
		return nil
	}
	return &l.LinuxResources
}

// SetMemory sets the limit of memory and swap together, from a size such as 512m or a number of bytes.
func (l *Limits) SetMemory(s string) error {
	n, err := units.RAMInBytes(s)
	if err != nil || n <= 0 {
		return fmt.Errorf("%q is not a size; try 512m or 2g", s)
	}
	l.Memory = &specs.LinuxMemory{Limit: &n, Swap: &n}
	return nil
}

// SetCPUs sets the number of processors, such as 0.5.
func (l *Limits) SetCPUs(s string) error {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(n) || n < 0.01 || n > 1e6 {
		return fmt.Errorf("%q is not a number of processors; try 0.5 or 2 (at least 0.01)", s)
	}
	quota, period := int64(n*cpuPeriod), uint64(cpuPeriod)
	l.CPU = &specs.LinuxCPU{Quota: &quota, Period: &period}
	return nil
}

// SetPids sets the largest number of processes and threads at once.
func (l *Limits) SetPids(s string) error {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 {
		return fmt.Errorf("%q is not a number of processes; try 100 (at least 1)", s)
	}
	l.Pids = &specs.LinuxPids{Limit: &n}
	return nil
}
