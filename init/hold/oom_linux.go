package hold

import (
	"strconv"
	"strings"

	"github.com/cginit/cginit/cgroup"
	"github.com/cginit/cginit/internal/rawfile"
	"golang.org/x/sys/unix"
)

// oomReach is more than process 1 ever has resident, in bytes.
const oomReach = 16 << 20

// oomMore returns how much higher the oom_score_adj of a job must be than ours, 10 to 1000. The
// unit is a thousandth of the memory that we share. The smallest process of a job then scores
// higher than we do with all our memory. It is not more than that, because on a full host a high
// score counts against other containers.
func oomMore(own cgroup.Dir) int {
	return int(min(1000, 10+1000*oomReach/memoryLimit(own)))
}

// memoryLimit returns the memory that we share with the job, in bytes: the container's limit or the
// machine's memory.
func memoryLimit(own cgroup.Dir) uint64 {
	limit := uint64(1 << 40)
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err == nil {
		limit = uint64(info.Totalram) * uint64(info.Unit) //nolint:unconvert // uint32 on 32 bits
	}
	// The last file is that of a container on a cgroup v1 host.
	for _, file := range []string{string(own) + "/memory.max", "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		var buf [32]byte
		data, err := rawfile.Read(file, buf[:])
		if err != nil {
			continue
		}
		if n, err := strconv.ParseUint(strings.TrimSpace(string(data)), 10, 64); err == nil && n > 0 {
			limit = min(limit, n)
		}
	}
	return limit
}
