package proc

import (
	"bytes"
	"strconv"

	"github.com/cginit/cginit/internal/rawfile"
	"golang.org/x/sys/unix"
)

// UID returns the real uid of a process. The error is an errno, EINVAL for a file that says no uid.
func UID(pid int) (uint32, error) {
	var buf [1024]byte // the uid is among the first lines
	data, err := rawfile.Read("/proc/"+strconv.Itoa(pid)+"/status", buf[:])
	if err != nil {
		return 0, err
	}
	_, rest, ok := bytes.Cut(data, []byte("\nUid:\t"))
	n, left := leadingNumber(rest)
	if !ok || len(left) == len(rest) {
		return 0, unix.EINVAL
	}
	return uint32(n), nil
}

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
