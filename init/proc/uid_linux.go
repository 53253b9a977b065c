package proc

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// HasUID reports whether a process that /proc shows has uid as its effective uid. It returns true
// if /proc cannot be read: a uid that may be in use counts as used.
func HasUID(uid uint32) bool {
	pids, err := list()
	if err != nil {
		return true
	}
	for _, pid := range pids {
		var info unix.Stat_t
		if unix.Stat("/proc/"+strconv.Itoa(pid), &info) == nil && info.Uid == uid {
			return true
		}
	}
	return false
}
