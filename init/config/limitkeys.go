package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// shortLimits are the limits of the short keys. Most of them have a second key below deploy.
type shortLimits struct {
	memory, reservation agreed[int64] // bytes
	swap                agreed[int64] // bytes of memory and swap together; -1: no limit of swap
	quota               agreed[int64] // microseconds in each cpuPeriod
	shares              agreed[uint64]
	cpus                agreed[string]
	pids                agreed[int64] // -1: no limit
}

// limitKeys are the keys about limits, the short ones and resources.
func limitKeys() []*field {
	return []*field{
		limitKey("mem_limit", "the most memory and swap together, such as 512m; memswap_limit allows more swap",
			size(), func(l *shortLimits) *agreed[int64] { return &l.memory }),
		limitKey("memswap_limit", "the most memory and swap together; -1: no limit of swap", orUnlimited(size()),
			func(l *shortLimits) *agreed[int64] { return &l.swap }),
		limitKey("mem_reservation", "memory that is left to it when memory is short", size(),
			func(l *shortLimits) *agreed[int64] { return &l.reservation }),
		limitKey("cpus", "how many processors, such as 0.5", quota(),
			func(l *shortLimits) *agreed[int64] { return &l.quota }),
		limitKey("cpu_shares", "its weight against others when processors are short (default 1024)", shares(),
			func(l *shortLimits) *agreed[uint64] { return &l.shares }),
		limitKey("cpuset", "the numbers of the processors that it may use, such as 0-3,5", cpuList(),
			func(l *shortLimits) *agreed[string] { return &l.cpus }),
		limitKey("pids_limit", "the most processes and threads at once; -1: no limit", pids(),
			func(l *shortLimits) *agreed[int64] { return &l.pids }),
		resourcesKey(),
	}
}

// limitKey is a key that sets the limit to which to points.
func limitKey[V comparable](name, doc string, v value[V], to func(*shortLimits) *agreed[V]) *field {
	return keyTo(name, doc, v, func(p *problems, n *node, d *draft, read V) { to(&d.limits).set(p, n, read) })
}

// size reads a number of bytes, or a text such as 512m.
func size() value[int64] {
	return parsed(schemaAmount, func(s string) (int64, error) {
		var l Limits
		if err := l.SetMemory(s); err != nil {
			return 0, err
		}
		return *l.Memory.Limit, nil
	})
}

// orUnlimited reads what v reads, and -1.
func orUnlimited(v value[int64]) value[int64] {
	return value[int64]{v.shape, func(p *problems, n *node) (int64, bool) {
		if n.kind == scalarKind && n.text == "-1" {
			return -1, true
		}
		return v.read(p, n)
	}}
}

// pids reads a number of processes and threads, or -1.
func pids() value[int64] {
	return orUnlimited(parsed(schemaNumber, func(s string) (int64, error) {
		var l Limits
		if err := l.SetPids(s); err != nil {
			return 0, err
		}
		return *l.Pids.Limit, nil
	}))
}

// quota reads a number of processors, and returns the microseconds of each cpuPeriod.
func quota() value[int64] {
	return parsed(schemaAmount, func(s string) (int64, error) {
		var l Limits
		if err := l.SetCPUs(s); err != nil {
			return 0, err
		}
		return *l.CPU.Quota, nil
	})
}

// minShares and maxShares bound cpu_shares, as in Docker. Package cgroup converts them to the kernel's
// weights from 1 to 10000.
const minShares, maxShares = 2, 262_144

// shares reads a weight in the terms of cgroup v1.
func shares() value[uint64] {
	n := integer(minShares, maxShares)
	return value[uint64]{n.shape, func(p *problems, at *node) (uint64, bool) {
		v, ok := n.read(p, at)
		return uint64(v), ok
	}}
}

// cpuList reads numbers and ranges, separated by commas. Its schema takes a number too, such as 0.
func cpuList() value[string] {
	return parsed(schemaNumber, func(s string) (string, error) {
		for part := range strings.SplitSeq(s, ",") {
			first, last, isRange := strings.Cut(part, "-")
			from, err := strconv.ParseUint(first, 10, 16)
			if !isRange {
				last = first
			}
			to, err2 := strconv.ParseUint(last, 10, 16)
			if err != nil || err2 != nil || from > to {
				return "", fmt.Errorf("%q is not a list of processors; try 0-3,5", s)
			}
		}
		return s, nil
	})
}

// apply puts the short keys into the resources of the job. It reports those that resources sets too.
func (l *shortLimits) apply(p *problems, d *draft) {
	r := d.Resources
	if r == nil {
		r = &specs.LinuxResources{}
	}
	memory, cpu := orNew(r.Memory), orNew(r.CPU)
	put(p, &memory.Limit, l.memory)
	put(p, &memory.Reservation, l.reservation)
	put(p, &cpu.Quota, l.quota)
	put(p, &cpu.Shares, l.shares)
	l.applySwap(p, r, memory)
	if l.cpus.node != nil {
		if cpu.Cpus != "" {
			p.wrong(l.cpus.node, setTwice)
		}
		cpu.Cpus = l.cpus.value
	}
	if l.pids.node != nil {
		count := orNew(r.Pids)
		put(p, &count.Limit, l.pids)
		if l.pids.value != -1 { // without a limit there is nothing to set
			r.Pids = count
		}
	}
	if cpu.Quota != nil && cpu.Period == nil {
		period := uint64(cpuPeriod)
		cpu.Period = &period
	}
	if *memory != (specs.LinuxMemory{}) {
		r.Memory = memory
	}
	if *cpu != (specs.LinuxCPU{}) {
		r.CPU = cpu
	}
	if r.Memory != nil || r.CPU != nil || r.Pids != nil {
		d.Resources = r
	}
}

// setTwice is the problem with a short key whose limit is set by resources too.
const setTwice = "resources sets the same limit; keep one of the two"

// orNew returns t, or a new value if t is nil.
func orNew[T any](t *T) *T {
	if t == nil {
		return new(T)
	}
	return t
}

// put sets a field of the resources to a limit, if the limit is set.
func put[V comparable](p *problems, to **V, l agreed[V]) {
	if l.node == nil {
		return
	}
	if *to != nil {
		p.wrong(l.node, setTwice)
	}
	*to = &l.value
}

// applySwap sets the limit of memory and swap together. If only memory is limited, the same limit holds
// for both together, as with --memory.
func (l *shortLimits) applySwap(p *problems, r *specs.LinuxResources, memory *specs.LinuxMemory) {
	at := l.swap.node
	switch {
	case at == nil && l.memory.node != nil && memory.Swap == nil:
		memory.Swap = memory.Limit
	case at == nil:
	case memory.Swap != nil:
		p.wrong(at, setTwice)
	case l.memory.node == nil:
		p.wrong(at, "memswap_limit counts memory and swap together, so it needs mem_limit")
	case l.swap.value == -1: // the field of OCI cannot express it beside a limit of memory
		if r.Unified == nil {
			r.Unified = map[string]string{}
		}
		r.Unified["memory.swap.max"] = "max"
	case l.swap.value < l.memory.value:
		p.wrong(at, "memswap_limit counts memory and swap together, so it cannot be below mem_limit")
	default:
		memory.Swap = &l.swap.value
	}
}
