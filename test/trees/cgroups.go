package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unsafe"
)

// nestedIn has a descriptor of the cgroup.procs of each cgroup that nested has made.
var nestedIn [8]uintptr

// nested makes cgroups below its own, two deep, and n children spread over them.
func nested(n int) {
	own := ownCgroup()
	for i := range nestedIn {
		dir := filepath.Join(own, "nest."+string(rune('0'+i)), "inner")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			fail("%v", err)
		}
		nestedIn[i] = openProcs(dir)
	}
	grow(n, leafNested)
}

var itself = [1]byte{'0'}

//go:nosplit
func leafNested(i int) {
	if _, errno := raw(syscall.SYS_WRITE, nestedIn[i&7], uintptr(unsafe.Pointer(&itself)), 1); errno != 0 {
		giveUp(errno)
	}
	leafPlain(0)
}

// threadedIn has a descriptor of the cgroup.procs of each cgroup that has processes of threaded.
var threadedIn [2]uintptr

// threaded makes threaded cgroups below its own, one inside the other, and n children spread over them.
// It adds a cgroup that is invalid, because it is inside a threaded one and is not threaded itself. Of
// all these cgroup.procs cannot be read. The children ignore signals.
func threaded(n int) {
	pool := filepath.Join(ownCgroup(), "pool")
	for i, dir := range []string{pool, filepath.Join(pool, "inner")} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			fail("%v", err)
		}
		if err := os.WriteFile(filepath.Join(dir, "cgroup.type"), []byte("threaded"), 0); err != nil {
			fail("%v", err)
		}
		threadedIn[i] = openProcs(dir)
	}
	if err := os.Mkdir(filepath.Join(pool, "invalid"), 0o755); err != nil {
		fail("%v", err)
	}
	grow(n, leafThreaded)
}

//go:nosplit
func leafThreaded(i int) {
	if _, errno := raw(syscall.SYS_WRITE, threadedIn[i&1], uintptr(unsafe.Pointer(&itself)), 1); errno != 0 {
		giveUp(errno)
	}
	leafDeaf(0)
}

// openProcs opens the cgroup.procs of a cgroup for writing.
func openProcs(dir string) uintptr {
	fd, err := syscall.Open(filepath.Join(dir, "cgroup.procs"), syscall.O_WRONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		fail("cannot open cgroup.procs in %s: %v", dir, err)
	}
	return uintptr(fd)
}

// ownCgroup returns the directory of this process' cgroup2.
func ownCgroup() string {
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	own, _ := os.ReadFile("/proc/self/cgroup")
	_, path, _ := strings.Cut("\n"+string(own), "\n0::")
	path, _, _ = strings.Cut(path, "\n")
	for line := range strings.Lines(string(mounts)) {
		before, after, _ := strings.Cut(line, " - ")
		if fields := strings.Fields(before); strings.HasPrefix(after, "cgroup2 ") {
			below, err := filepath.Rel(fields[3], path)
			if err == nil && !strings.HasPrefix(below, "..") {
				return filepath.Join(fields[4], below)
			}
		}
	}
	fail("no cgroup2 mount shows %q", path)
	return ""
}
