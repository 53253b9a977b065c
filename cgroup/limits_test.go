package cgroup

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/containerd/cgroups/v3/cgroup2"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// everyLimit returns one limit of each kind that the library knows too.
func everyLimit() *specs.LinuxResources {
	return &specs.LinuxResources{
		CPU: &specs.LinuxCPU{
			Shares: new(uint64(2048)), Quota: new(int64(50_000)), Period: new(uint64(200_000)), Cpus: "0-1", Mems: "0",
		},
		Memory: &specs.LinuxMemory{
			Limit: new(int64(64 << 20)), Swap: new(int64(96 << 20)), Reservation: new(int64(32 << 20)),
		},
		Pids: &specs.LinuxPids{Limit: new(int64(40))},
		BlockIO: &specs.LinuxBlockIO{
			Weight: new(uint16(15)), ThrottleWriteIOPSDevice: []specs.LinuxThrottleDevice{throttle(8, 16, 1000)},
		},
		HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "2MB", Limit: 4 << 20}},
		Rdma: map[string]specs.LinuxRdma{"mlx5_1": {
			HcaHandles: new(uint32(3)), HcaObjects: new(uint32(10)),
		}},
	}
}

func throttle(major, minor int64, rate uint64) specs.LinuxThrottleDevice {
	d := specs.LinuxThrottleDevice{Rate: rate}
	d.Major, d.Minor = major, minor
	return d
}

// contents returns the contents of the files in a directory by their names.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	held := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		held[e.Name()] = string(data)
	}
	return held
}

// TestLimitsAreTheLibrarys writes the same limits with containerd's library and with this package into
// ordinary directories. Both must write the same files, except for memory.oom.group.
func TestLimitsAreTheLibrarys(t *testing.T) {
	top := t.TempDir()
	theirs, ours := filepath.Join(top, "theirs"), filepath.Join(top, "ours")
	for _, dir := range []string{theirs, ours} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, s := range settings(everyLimit()) { // in a cgroup the kernel creates them
			if err := os.WriteFile(filepath.Join(dir, s.file), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	m, err := cgroup2.Load("/theirs", cgroup2.WithMountpoint(top))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Update(cgroup2.ToResources(everyLimit())); err != nil {
		t.Fatal(err)
	}
	if err := Dir(ours).Limit(everyLimit()); err != nil {
		t.Fatal(err)
	}
	want := contents(t, theirs)
	want["memory.oom.group"] = "1"
	if got := contents(t, ours); !maps.Equal(got, want) {
		t.Errorf("ours hold   %v\ntheirs hold %v", got, want)
	}
	want2, got := cgroup2.ToResources(everyLimit()).EnabledControllers(), Controllers(everyLimit())
	slices.Sort(want2)
	slices.Sort(got)
	if !slices.Equal(got, want2) {
		t.Errorf("controllers %v, theirs %v", got, want2)
	}
}

func TestSharesAreTheLibrarys(t *testing.T) {
	for _, shares := range []uint64{1, 2, 3, 10, 100, 1023, 1024, 1025, 4096, 100_000, 262_143, 262_144, 1 << 40} {
		if got, want := weightOfShares(shares), cgroup2.ConvertCPUSharesToCgroupV2Value(shares); uint64(got) != want {
			t.Errorf("%d shares are weight %d, theirs %d", shares, got, want)
		}
	}
}

// TestSettings has the limits that the library gets wrong or cannot express.
func TestSettings(t *testing.T) {
	for name, c := range map[string]struct {
		res  *specs.LinuxResources
		want []setting
	}{
		"nothing": {nil, nil},
		"no limits": {
			&specs.LinuxResources{CPU: &specs.LinuxCPU{}, Pids: &specs.LinuxPids{}, Memory: &specs.LinuxMemory{}}, nil,
		},
		"quota only": {&specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: new(int64(5000))}}, []setting{{
			"cpu.max", "5000 100000",
		}}},
		"no quota": {
			&specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: new(int64(-1))}}, []setting{{"cpu.max", "max 100000"}},
		},
		"no end of swap": {
			&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(100)), Swap: new(int64(-1))}},
			[]setting{{"memory.swap.max", "max"}, {"memory.max", "100"}, {"memory.oom.group", "1"}},
		},
		"no end of memory": {
			&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(-1))}},
			[]setting{{"memory.max", "max"}, {"memory.oom.group", "1"}},
		},
		"no end of pids": {
			&specs.LinuxResources{Pids: &specs.LinuxPids{Limit: new(int64(-1))}}, []setting{{"pids.max", "max"}},
		},
		"much weight": {&specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{Weight: new(uint16(1000))}}, []setting{{
			"io.bfq.weight", "10000",
		}}},
		"unified has the last word": {
			&specs.LinuxResources{Pids: &specs.LinuxPids{Limit: new(int64(5))}, Unified: map[string]string{
				"pids.max": "7", "memory.high": "1M",
			}},
			[]setting{{"pids.max", "5"}, {"memory.high", "1M"}, {"pids.max", "7"}},
		},
	} {
		if got := settings(c.res); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, not %v", name, got, c.want)
		}
	}
}

func TestControllersOfUnified(t *testing.T) {
	res := &specs.LinuxResources{Unified: map[string]string{
		"memory.high": "1M", "memory.low": "0", "cgroup.max.depth": "3",
	}}
	if got := Controllers(res); !slices.Equal(got, []string{"memory"}) {
		t.Errorf("controllers %v", got)
	}
}

// TestStatsAreTheLibrarys compares the CPU time of a cgroup whose processes have ended.
func TestStatsAreTheLibrarys(t *testing.T) {
	d := newDir(t)
	cmd := start(t, d, "sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")
	_ = cmd.Wait()
	m, err := cgroup2.Load("/"+filepath.Base(string(d)), cgroup2.WithMountpoint(filepath.Dir(string(d))))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := m.StatFiltered(cgroup2.StatCPU)
	if err != nil {
		t.Fatal(err)
	}
	if ours := d.Stats(nil).CPU; ours == nil || uint64(ours.Microseconds()) != theirs.CPU.GetUsageUsec() {
		t.Errorf("CPU time %v, theirs %d µs", ours, theirs.CPU.GetUsageUsec())
	}
}
