package main

import (
	"cmp"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

const corePattern = "/proc/sys/kernel/core_pattern"

// reader is what the kernel starts to read a core dump. It reads nothing.
const reader = "/bin/sleep 7777"

// corePipe stops a job while one of its processes dumps core into a pipe that nobody reads. The reader
// is the kernel's child, and none of the job's processes.
func corePipe(b *box) error {
	before := read(corePattern)
	if err := os.WriteFile(corePattern, []byte("|"+reader), 0); err != nil {
		return err
	}
	err := stopDumping(b)
	endReaders()
	return cmp.Or(err, os.WriteFile(corePattern, []byte(before), 0))
}

func stopDumping(b *box) error {
	if err := b.start("--stop-grace-period=1s", "--", "sh", "-c", `sh -c 'kill -ABRT $$' & exec sleep 2000`); err != nil {
		return err
	}
	if err := b.until("a process dumps core", func() bool {
		return slices.ContainsFunc(procs(b.job()), func(pid string) bool {
			return strings.Contains(read("/proc/"+pid+"/status"), "\nCoreDumping:\t1\n")
		})
	}); err != nil {
		return err
	}
	return b.stop()
}

// endReaders kills the readers, which the kernel has started outside of all boxes.
func endReaders() {
	for _, pid := range procs(cgroupRoot) {
		if n, err := strconv.Atoi(pid); err == nil && cmdline(pid) == reader {
			_ = syscall.Kill(n, syscall.SIGKILL)
		}
	}
}
