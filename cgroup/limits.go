package cgroup

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// setting is a value for one file of a cgroup. The name of the file begins with its controller's.
type setting struct{ file, value string }

// Controllers returns the names of the controllers that the limits of res need.
func Controllers(res *specs.LinuxResources) []string {
	var names []string
	for _, s := range settings(res) {
		name, _, _ := strings.Cut(s.file, ".")
		if name != "cgroup" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Limit writes the limits of res into the files of the cgroup.
func (d Dir) Limit(res *specs.LinuxResources) error {
	for _, s := range settings(res) {
		if err := d.write(s.file, s.value); err != nil {
			return fmt.Errorf("cannot set %s of %s: %w", s.file, d, err)
		}
	}
	return nil
}

// settings translates OCI's limits, which are in the terms of cgroup v1, into files of cgroup v2, in
// the order in which they must be written. Those of res.Unified come last, so that they win.
func settings(res *specs.LinuxResources) []setting {
	if res == nil {
		return nil
	}
	all := slices.Concat(
		cpuSettings(res.CPU), memorySettings(res.Memory), pidsSettings(res.Pids), ioSettings(res.BlockIO))
	for _, device := range slices.Sorted(maps.Keys(res.Rdma)) {
		if r := res.Rdma[device]; r.HcaHandles != nil && r.HcaObjects != nil {
			value := fmt.Sprintf("%s hca_handle=%d hca_object=%d", device, *r.HcaHandles, *r.HcaObjects)
			all = append(all, setting{"rdma.max", value})
		}
	}
	for _, h := range res.HugepageLimits {
		all = append(all, setting{"hugetlb." + h.Pagesize + ".max", strconv.FormatUint(h.Limit, 10)})
	}
	for _, file := range slices.Sorted(maps.Keys(res.Unified)) {
		all = append(all, setting{file, res.Unified[file]})
	}
	return all
}

// defaultPeriod is the kernel's default period of cpu.max, in microseconds.
const defaultPeriod = 100_000

func cpuSettings(cpu *specs.LinuxCPU) (all []setting) {
	if cpu == nil {
		return nil
	}
	if cpu.Shares != nil && *cpu.Shares != 0 {
		all = append(all, setting{"cpu.weight", strconv.Itoa(weightOfShares(*cpu.Shares))})
	}
	if cpu.Quota != nil || cpu.Period != nil {
		period := uint64(defaultPeriod)
		if cpu.Period != nil {
			period = cmp.Or(*cpu.Period, period)
		}
		all = append(all, setting{"cpu.max", fmt.Sprint(amount(cpu.Quota), " ", period)})
	}
	if cpu.Cpus != "" {
		all = append(all, setting{"cpuset.cpus", cpu.Cpus})
	}
	if cpu.Mems != "" {
		all = append(all, setting{"cpuset.mems", cpu.Mems})
	}
	return all
}

// weightOfShares converts v1's cpu.shares (2 to 262144, 1024 by default) to v2's cpu.weight (1 to
// 10000, 100 by default) by the formula that runc 1.3.2, crun and Kubernetes share.
func weightOfShares(shares uint64) int {
	l := math.Log2(float64(min(max(shares, 2), 1<<18)))
	return int(math.Ceil(math.Pow(10, (l*l+125*l)/612-7.0/34)))
}

// memorySettings also sets memory.oom.group (since Linux 4.19) if there is a limit: out of memory, the
// kernel then kills the whole cgroup instead of one process of it. OCI's swap counts memory and swap
// together, cgroup v2's only swap.
func memorySettings(mem *specs.LinuxMemory) (all []setting) {
	if mem == nil {
		return nil
	}
	if mem.Swap != nil {
		swap := *mem.Swap
		if mem.Limit != nil && swap >= 0 {
			swap = max(0, swap-*mem.Limit)
		}
		all = append(all, setting{"memory.swap.max", amount(&swap)})
	}
	if mem.Limit != nil {
		all = append(all, setting{"memory.max", amount(mem.Limit)}, setting{"memory.oom.group", "1"})
	}
	if mem.Reservation != nil {
		all = append(all, setting{"memory.low", amount(mem.Reservation)})
	}
	return all
}

func pidsSettings(pids *specs.LinuxPids) []setting {
	if pids == nil || pids.Limit == nil || *pids.Limit == 0 {
		return nil
	}
	return []setting{{"pids.max", amount(pids.Limit)}}
}

func ioSettings(io *specs.LinuxBlockIO) (all []setting) {
	if io == nil {
		return nil
	}
	if io.Weight != nil && *io.Weight != 0 { // OCI has 10 to 1000, the file 1 to 10000
		all = append(all, setting{"io.bfq.weight", strconv.Itoa(1 + (int(*io.Weight)-10)*9999/990)})
	}
	throttle := func(key string, devices []specs.LinuxThrottleDevice) {
		for _, d := range devices {
			all = append(all, setting{"io.max", fmt.Sprintf("%d:%d %s=%d", d.Major, d.Minor, key, d.Rate)})
		}
	}
	throttle("rbps", io.ThrottleReadBpsDevice)
	throttle("wbps", io.ThrottleWriteBpsDevice)
	throttle("riops", io.ThrottleReadIOPSDevice)
	throttle("wiops", io.ThrottleWriteIOPSDevice)
	return all
}

// amount formats a limit for a file. No limit, which is nil or negative in OCI, becomes "max".
func amount(n *int64) string {
	if n == nil || *n < 0 {
		return "max"
	}
	return strconv.FormatInt(*n, 10)
}
