package seal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// writable adds rules to a ruleset, for all that a sealed process may write to.
type writable struct {
	set    int
	access uint64
	closed []string // the directories that get no rule
	// passed are the directories that lead to a closed one, and the closed ones. A rule is about an inode: another
	// mount of one of these would open it here too.
	passed []inode
	trees  []uint64 // the devices of the cgroup trees
}

// inode is the identity of a file, whatever its path.
type inode struct{ dev, ino uint64 }

// allowFiles allows writes to everything but what lies below the mounts of cgroups.
func allowFiles(set int, access uint64) error {
	closed, err := cgroupMounts()
	if err != nil {
		return err
	}
	w := writable{set: set, access: access, closed: closed}
	for n, path := range closed {
		if i := w.pass(path); n > 0 { // the first may be no mount
			w.trees = append(w.trees, i.dev)
		}
		for path = above(path); path != "/"; path = above(path) {
			w.pass(path)
		}
	}
	w.pass("/")
	if err := w.allowBelow("/"); err != nil {
		return err
	}
	// Message queues are files of a mount that no path leads to, but its root has this one too.
	if err := w.allowPath("/dev/mqueue"); err != nil {
		return err
	}
	for fd := range 3 { // a file or a terminal can come from outside of our mounts
		w.allow(fd)
	}
	return nil
}

// cgroupMounts returns where cgroups usually are, and after that where they are mounted in our mount namespace. It
// cannot tell the latter without /proc.
func cgroupMounts() ([]string, error) {
	mounts := []string{"/sys/fs/cgroup"}
	table, err := os.ReadFile("/proc/self/mountinfo")
	if errors.Is(err, unix.ENOENT) {
		return mounts, nil
	}
	if err != nil {
		return nil, err
	}
	for line := range bytes.Lines(table) {
		if !bytes.Contains(line, []byte(" - cgroup")) {
			continue
		}
		const at = 4
		if fields := strings.Fields(string(line)); len(fields) > at {
			mounts = append(mounts, unescape(fields[at]))
		}
	}
	return mounts, nil
}

// unescape returns a path of mountinfo, which has spaces and the like as a backslash and three octal digits.
func unescape(path string) string {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '\\' && i+3 < len(path) {
			c = (path[i+1]-'0')<<6 | (path[i+2]-'0')<<3 | (path[i+3] - '0')
			i += 3
		}
		b.WriteByte(c)
	}
	return b.String()
}

// above returns the directory that a path is in.
func above(path string) string { return path[:max(1, strings.LastIndexByte(path, '/'))] }

// pass records the inode of a directory that gets no rule, and returns it; zero if there is none.
func (w *writable) pass(path string) (i inode) {
	var info unix.Stat_t
	if unix.Stat(path, &info) == nil {
		i = inode{uint64(info.Dev), info.Ino} //nolint:unconvert // uint32 on some platforms
		w.passed = append(w.passed, i)
	}
	return i
}

// allowBelow allows writes to all that is in a directory now, but not to the closed ones. A rule is about a file or
// a directory with all below it, so a directory that leads to a closed one gets none, but what is in it does.
func (w *writable) allowBelow(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("cannot find out what it may write to: %w", err)
	}
	for _, e := range entries {
		path := strings.TrimSuffix(dir, "/") + "/" + e.Name()
		switch isClosed, leads := w.look(path); {
		case isClosed || e.Type()&os.ModeSymlink != 0: // a rule would be about the link's target
		case leads:
			if err := w.allowBelow(path); err != nil {
				return err
			}
		default:
			if err := w.allowPath(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// look tells whether a path is closed, or leads to a closed one.
func (w *writable) look(path string) (isClosed, leads bool) {
	for _, c := range w.closed {
		isClosed = isClosed || path == c
		leads = leads || strings.HasPrefix(c, path+"/")
	}
	return isClosed, leads
}

// allowPath adds the rule for a path. What is gone or closed to us needs none.
func (w *writable) allowPath(path string) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	switch err {
	case nil:
		defer unix.Close(fd)
		w.allow(fd)
		return nil
	case unix.ENOENT, unix.EACCES, unix.ELOOP, unix.ESTALE, unix.EIO:
		return nil
	}
	return &os.PathError{Op: "open", Path: path, Err: err}
}

// allow adds the rule for a descriptor, unless it is of a file that must get none. What cannot have a rule, such
// as a pipe, needs none.
func (w *writable) allow(fd int) {
	var info unix.Stat_t
	if unix.Fstat(fd, &info) != nil {
		return
	}
	i := inode{uint64(info.Dev), info.Ino} //nolint:unconvert // uint32 on some platforms
	if slices.Contains(w.trees, i.dev) || slices.Contains(w.passed, i) {
		return
	}
	access := w.access
	if info.Mode&unix.S_IFMT != unix.S_IFDIR { // the kernel refuses a rule about a file with what only directories have
		access &^= unix.LANDLOCK_ACCESS_FS_REFER
	}
	// The kernel's struct has 12 bytes and no padding.
	var rule [12]byte
	*(*uint64)(unsafe.Pointer(&rule[0])) = access
	*(*int32)(unsafe.Pointer(&rule[8])) = int32(fd)
	syscall.RawSyscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(w.set), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
}
