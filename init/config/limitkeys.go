package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// shortLimits are what the short keys say, which two of them may.
type shortLimits struct {
	memory, swap, reservation agreed[int64] // swap: memory and swap together; -1: as much as there is
	quota                     agreed[int64]
	shares                    agreed[uint64]
	cpus                      agreed[string]
	pids                      agreed[int64] // -1: no limit
}

// limitKeys say how much it may use.
func limitKeys() []*field {
	return []*field{
		limitKey("mem_limit", "memory, such as 512m; swap is not added to it", size(), func(l *shortLimits) *agreed[int64] { return &l.memory }),
		limitKey("memswap_limit", "memory and swap together; -1: as much swap as there is", orUnlimited(size()),
			func(l *shortLimits) *agreed[int64] { return &l.swap }),
		limitKey("mem_reservation", "memory that is left to it when memory is short", size(),
			func(l *shortLimits) *agreed[int64] { return &l.reservation }),
		limitKey("cpus", "processors, such as 0.5", quota(), func(l *shortLimits) *agreed[int64] { return &l.quota }),
		limitKey("cpu_shares", "its weight beside others; 1024 is normal", shares(), func(l *shortLimits) *agreed[uint64] { return &l.shares }),
		limitKey("cpuset", "the processors that it may use, such as 0-3,5", cpuList(), func(l *shortLimits) *agreed[string] { return &l.cpus }),
		limitKey("pids_limit", "processes and threads at once; -1: no limit", pids(), func(l *shortLimits) *agreed[int64] { return &l.pids }),
		resourcesKey(),
	}
}

func limitKey[V comparable](name, doc string, v value[V], to func(*shortLimits) *agreed[V]) *field {
	return keyTo(name, doc, v, func(p *problems, n *node, d *draft, read V) { to(&d.limits).set(p, n, read) })
}

// size is a number of bytes, or a text such as 512m.
func size() value[int64] {
	return parsed(schemaAmount, func(s string) (int64, error) {
		var l Limits
		if err := l.SetMemory(s); err != nil {
			return 0, err
		}
		return *l.Memory.Limit, nil
	})
}

func orUnlimited(v value[int64]) value[int64] {
	return value[int64]{v.shape, func(p *problems, n *node) (int64, bool) {
		if n.kind == scalarKind && n.text == "-1" {
			return -1, true
		}
		return v.read(p, n)
	}}
}

func pids() value[int64] {
	return orUnlimited(parsed(schemaNumber, func(s string) (int64, error) {
		var l Limits
		if err := l.SetPids(s); err != nil {
			return 0, err
		}
		return *l.Pids.Limit, nil
	}))
}

func quota() value[int64] {
	return parsed(schemaAmount, func(s string) (int64, error) {
		var l Limits
		if err := l.SetCPUs(s); err != nil {
			return 0, err
		}
		return *l.CPU.Quota, nil
	})
}

// The bounds of cpu_shares, Docker's; the kernel's weights from 1 to 10000 are made of them.
const minShares, maxShares = 2, 262_144

func shares() value[uint64] {
	n := integer(minShares, maxShares)
	return value[uint64]{n.shape, func(p *problems, at *node) (uint64, bool) {
		v, ok := n.read(p, at)
		return uint64(v), ok
	}}
}

// cpuList is numbers and ranges. Its schema takes a number too: 0 is one.
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

// apply puts the short keys into the job's resources, which must not say the same.
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
			p.wrong(l.cpus.node, "resources says the same; keep one of them")
		}
		cpu.Cpus = l.cpus.value
	}
	if l.pids.node != nil {
		count := orNew(r.Pids)
		put(p, &count.Limit, l.pids)
		if l.pids.value != -1 { // no limit needs none
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

func orNew[T any](t *T) *T {
	if t == nil {
		return new(T)
	}
	return t
}

// put sets one of the job's resources.
func put[V comparable](p *problems, to **V, l agreed[V]) {
	if l.node == nil {
		return
	}
	if *to != nil {
		p.wrong(l.node, "resources says the same; keep one of them")
	}
	*to = &l.value
}

// applySwap sets what memory and swap may be together: with a limit of memory, and no word on
// swap, no more than that, as with --memory.
func (l *shortLimits) applySwap(p *problems, r *specs.LinuxResources, memory *specs.LinuxMemory) {
	at := l.swap.node
	switch {
	case at == nil && l.memory.node != nil && memory.Swap == nil:
		memory.Swap = memory.Limit
	case at == nil:
	case memory.Swap != nil:
		p.wrong(at, "resources says the same; keep one of them")
	case l.memory.node == nil:
		p.wrong(at, "it needs mem_limit")
	case l.swap.value == -1: // the field knows no word for it
		if r.Unified == nil {
			r.Unified = map[string]string{}
		}
		r.Unified["memory.swap.max"] = "max"
	case l.swap.value < l.memory.value:
		p.wrong(at, "it is memory and swap together, and so cannot be below mem_limit")
	default:
		memory.Swap = &l.swap.value
	}
}
