package hold

import (
	"strconv"
	"strings"

	"github.com/cginit/cginit/cgroup"
	"golang.org/x/sys/unix"
)

// oomReach is more than process 1 ever has resident, in bytes.
const oomReach = 16 << 20

// oomMore is by how much a job is preferred to us when memory runs out, in thousandths of the
// memory that there is: so much that we, with all that we have, are preferred to the smallest
// process of it, and little more, because on a full host it counts against other containers.
func oomMore(own cgroup.Dir) int {
	return int(min(1000, 10+1000*oomReach/memoryLimit(own)))
}

// memoryLimit is the memory that we share with the job, in bytes: the container's limit, or
// the machine's memory.
func memoryLimit(own cgroup.Dir) uint64 {
	limit := uint64(1 << 40)
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err == nil {
		limit = info.Totalram * uint64(info.Unit)
	}
	// The last is where a container of a cgroup v1 host has it.
	for _, file := range []string{string(own) + "/memory.max", "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		var buf [32]byte
		data, err := readFile(file, buf[:])
		if err != nil {
			continue
		}
		if n, err := strconv.ParseUint(strings.TrimSpace(string(data)), 10, 64); err == nil && n > 0 {
			limit = min(limit, n)
		}
	}
	return limit
}
