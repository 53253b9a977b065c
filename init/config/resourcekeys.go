package config

import (
	"math"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// resourcesKey is linux.resources of the OCI runtime specification, as far as cgroup v2 has a
// counterpart.
func resourcesKey() *field {
	type resources = specs.LinuxResources
	all := object(resources{}, refusedInResources,
		key("memory", "limits of memory", pointer(memoryOCI()),
			func(r *resources) **specs.LinuxMemory { return &r.Memory }),
		key("cpu", "limits of processors", pointer(cpuOCI()), func(r *resources) **specs.LinuxCPU { return &r.CPU }),
		key("pids", "limits of processes and threads", pointer(object(specs.LinuxPids{}, nil,
			key("limit", "the most processes and threads at once", pointer(integer(1, math.MaxInt64)),
				func(l *specs.LinuxPids) **int64 { return &l.Limit }))),
			func(r *resources) **specs.LinuxPids { return &r.Pids }),
		key("blockIO", "limits of block devices", pointer(blockOCI()),
			func(r *resources) **specs.LinuxBlockIO { return &r.BlockIO }),
		key("hugepageLimits", "limits of huge pages", listOf(object(specs.LinuxHugepageLimit{}, nil,
			must(key("pageSize", "the size of the pages, such as 2MB", text(),
				func(h *specs.LinuxHugepageLimit) *string { return &h.Pagesize })),
			must(key("limit", "the most bytes", unsigned(),
				func(h *specs.LinuxHugepageLimit) *uint64 { return &h.Limit })))),
			func(r *resources) *[]specs.LinuxHugepageLimit { return &r.HugepageLimits }),
		key("rdma", "limits by RDMA device", byName(object(specs.LinuxRdma{}, nil,
			must(key("hcaHandles", "the most handles", pointer(unsigned32()),
				func(l *specs.LinuxRdma) **uint32 { return &l.HcaHandles })),
			must(key("hcaObjects", "the most objects", pointer(unsigned32()),
				func(l *specs.LinuxRdma) **uint32 { return &l.HcaObjects })))),
			func(r *resources) *map[string]specs.LinuxRdma { return &r.Rdma }),
		keyTo("unified", "files of cgroup v2 by name, with the text that is written into each", byName(text()),
			func(p *problems, n *node, r *resources, files map[string]string) {
				r.Unified = files
				checkUnified(p, n)
			}),
	)
	return keyTo("resources", "linux.resources of the OCI runtime specification, for limits that have no short key",
		all,
		func(p *problems, n *node, d *draft, r resources) {
			d.Resources = &r
			if r.Memory != nil && r.Memory.Swap != nil && (r.Memory.Limit == nil || *r.Memory.Swap < *r.Memory.Limit) {
				p.wrong(n.get("memory").get("swap"),
					"swap counts memory and swap together, so it needs a limit of memory, and cannot be below it")
			}
		})
}

// checkUnified reports names that are no files of a controller.
func checkUnified(p *problems, n *node) {
	for _, file := range n.pairs {
		controller, _, ok := strings.Cut(file.key, ".")
		if !ok || controller == "" || controller == "cgroup" || strings.ContainsAny(file.key, "/\x00") {
			p.wrongAll(file.value, "%q is not the file of a controller; try memory.high", file.key)
		}
	}
}

// memoryOCI reads linux.resources.memory.
func memoryOCI() value[specs.LinuxMemory] {
	bytes := func(name, doc string, to func(*specs.LinuxMemory) **int64) *field {
		return key(name, doc, pointer(integer(1, math.MaxInt64)), to)
	}
	return object(specs.LinuxMemory{}, refusedInResources,
		bytes("limit", "the most memory, in bytes", func(m *specs.LinuxMemory) **int64 { return &m.Limit }),
		bytes("reservation", "memory that is left to it when memory is short, in bytes",
			func(m *specs.LinuxMemory) **int64 { return &m.Reservation }),
		bytes("swap", "the most memory and swap together, in bytes",
			func(m *specs.LinuxMemory) **int64 { return &m.Swap }))
}

// cpuOCI reads linux.resources.cpu.
func cpuOCI() value[specs.LinuxCPU] {
	return object(specs.LinuxCPU{}, refusedInResources,
		key("shares", "its weight against others when processors are short (default 1024)", pointer(shares()),
			func(c *specs.LinuxCPU) **uint64 { return &c.Shares }),
		key("quota", "how many microseconds it may run in each period", pointer(integer(1000, math.MaxInt64)),
			func(c *specs.LinuxCPU) **int64 { return &c.Quota }),
		key("period", "the length of a period, in microseconds (default 100000)", pointer(unsigned()),
			func(c *specs.LinuxCPU) **uint64 { return &c.Period }),
		key("cpus", "the numbers of the processors that it may use, such as 0-3,5", cpuList(),
			func(c *specs.LinuxCPU) *string { return &c.Cpus }),
		key("mems", "the numbers of the memory nodes that it may use, such as 0-1", cpuList(),
			func(c *specs.LinuxCPU) *string { return &c.Mems }))
}

// blockOCI reads linux.resources.blockIO.
func blockOCI() value[specs.LinuxBlockIO] {
	rates := func(name, doc string, to func(*specs.LinuxBlockIO) *[]specs.LinuxThrottleDevice) *field {
		return key(name, doc, listOf(object(specs.LinuxThrottleDevice{}, nil,
			must(key("major", "the major number of the device", integer(0, math.MaxInt32),
				func(t *specs.LinuxThrottleDevice) *int64 { return &t.Major })),
			must(key("minor", "the minor number of the device", integer(0, math.MaxInt32),
				func(t *specs.LinuxThrottleDevice) *int64 { return &t.Minor })),
			must(key("rate", "how many a second", unsigned(),
				func(t *specs.LinuxThrottleDevice) *uint64 { return &t.Rate })))), to)
	}
	type blockIO = specs.LinuxBlockIO
	return object(blockIO{}, refusedInResources,
		keyTo("weight", "its weight against others, from 10 to 1000", integer(10, 1000),
			func(_ *problems, _ *node, b *blockIO, n int64) {
				weight := uint16(n)
				b.Weight = &weight
			}),
		rates("throttleReadBpsDevice", "the most bytes read in a second, by device",
			func(b *blockIO) *[]specs.LinuxThrottleDevice { return &b.ThrottleReadBpsDevice }),
		rates("throttleWriteBpsDevice", "the most bytes written in a second, by device",
			func(b *blockIO) *[]specs.LinuxThrottleDevice { return &b.ThrottleWriteBpsDevice }),
		rates("throttleReadIOPSDevice", "the most reads in a second, by device",
			func(b *blockIO) *[]specs.LinuxThrottleDevice { return &b.ThrottleReadIOPSDevice }),
		rates("throttleWriteIOPSDevice", "the most writes in a second, by device",
			func(b *blockIO) *[]specs.LinuxThrottleDevice { return &b.ThrottleWriteIOPSDevice }))
}

// pointer reads what v reads, and returns its address.
func pointer[V any](v value[V]) value[*V] {
	return value[*V]{v.shape, func(p *problems, n *node) (*V, bool) {
		read, ok := v.read(p, n)
		return &read, ok
	}}
}

// unsigned reads an integer from 0 up.
func unsigned() value[uint64] {
	i := integer(0, math.MaxInt64)
	return value[uint64]{i.shape, func(p *problems, n *node) (uint64, bool) {
		v, ok := i.read(p, n)
		return uint64(v), ok
	}}
}

// unsigned32 reads an integer of 32 bits from 0 up.
func unsigned32() value[uint32] {
	i := integer(0, math.MaxUint32)
	return value[uint32]{i.shape, func(p *problems, n *node) (uint32, bool) {
		v, ok := i.read(p, n)
		return uint32(v), ok
	}}
}

// byName reads a mapping with arbitrary keys whose order has no meaning.
func byName[V any](each value[V]) value[map[string]V] {
	all := mapOf(each)
	return value[map[string]V]{all.shape, func(p *problems, n *node) (map[string]V, bool) {
		entries, ok := all.read(p, n)
		values := make(map[string]V, len(entries))
		for _, e := range entries {
			values[e.key] = e.value
		}
		return values, ok
	}}
}
