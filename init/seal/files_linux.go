package seal

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
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

// allowFiles allows writes to everything but what lies below the mounts of cgroups.
func allowFiles(set int, access uint64) error {
	w := writable{set: set, access: access}
	if err := w.findCgroups(); err != nil {
		return err
	}
	w.pass(w.closed[0]) // may be no mount of cgroups, and so on a device of another kind
	var led []string
	for _, path := range w.closed {
		for path = above(path); path != "/" && !slices.Contains(led, path); path = above(path) {
			w.pass(path)
			led = append(led, path)
		}
	}
	w.pass("/")
	if err := w.allowBelow("/"); err != nil {
		return err
	}
	// Message queues are files of a mount that no path leads to, but its root has this one too.
	if err := w.allowPath(unix.AT_FDCWD, "/dev/mqueue"); err != nil {
		return err
	}
	for fd := range 3 { // a file or a terminal can come from outside of our mounts
		w.allow(fd)
	}
	return nil
}

// findCgroups closes where cgroups usually are, and after that where they are mounted in our mount namespace. It
// cannot tell the latter without /proc.
func (w *writable) findCgroups() error {
	w.closed = []string{"/sys/fs/cgroup"}
	table, err := readAll("/proc/self/mountinfo")
	if err == unix.ENOENT {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot find out where cgroups are mounted: %w", err)
	}
	for line := range bytes.Lines(table) {
		if !bytes.Contains(line, []byte(" - cgroup")) {
			continue
		}
		const device, at = 2, 4
		fields := strings.Fields(string(line))
		if len(fields) <= at {
			continue
		}
		major, minor, _ := strings.Cut(fields[device], ":")
		dev := unix.Mkdev(number(major), number(minor))
		if !slices.Contains(w.trees, dev) {
			w.trees = append(w.trees, dev)
		}
		w.closed = append(w.closed, unescape(fields[at]))
	}
	return nil
}

// number reads a decimal number of the kernel's.
func number(text string) uint32 {
	n, _ := strconv.ParseUint(text, 10, 32)
	return uint32(n)
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

// pass records the inode of a directory that gets no rule, if there is one.
func (w *writable) pass(path string) {
	if i, _, err := look(unix.AT_FDCWD, path, 0); err == nil {
		w.passed = append(w.passed, i)
	}
}

// allowBelow allows writes to all that is in a directory now, but not to the closed ones. A rule is about a file or
// a directory with all below it, so a directory that leads to a closed one gets none, but what is in it does.
func (w *writable) allowBelow(dir string) error {
	fd, err := open(unix.AT_FDCWD, dir, unix.O_DIRECTORY)
	if err == unix.ENOENT && dir != "/" { // gone, or a link to nowhere
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot find out what it may write to: %w", &os.PathError{Op: "open", Path: dir, Err: err})
	}
	defer closeFile(fd)
	buf := make([]byte, 4<<10)
	for {
		n, err := read(unix.SYS_GETDENTS64, fd, buf)
		if err != nil {
			return fmt.Errorf("cannot find out what it may write to: %w", &os.PathError{Op: "read", Path: dir, Err: err})
		}
		if n == 0 {
			return nil
		}
		_, _, names := unix.ParseDirent(buf[:n], -1, nil)
		for _, name := range names {
			if err := w.allowEntry(fd, strings.TrimSuffix(dir, "/"), name); err != nil {
				return err
			}
		}
	}
}

// allowEntry allows writes to what is in a directory, by its name there.
func (w *writable) allowEntry(dir int, above, name string) error {
	switch isClosed, leads := w.leads(above + "/" + name); {
	case isClosed:
		return nil
	case leads:
		return w.allowBelow(above + "/" + name)
	}
	return w.allowPath(dir, name)
}

// leads tells whether a path is closed, or leads to a closed one.
func (w *writable) leads(path string) (isClosed, leads bool) {
	for _, c := range w.closed {
		rest, is := strings.CutPrefix(c, path)
		isClosed = isClosed || is && rest == ""
		leads = leads || is && strings.HasPrefix(rest, "/")
	}
	return isClosed, leads
}

// allowPath adds the rule for a path in a directory. What is gone or closed to us needs none.
func (w *writable) allowPath(dir int, path string) error {
	fd, err := open(dir, path, unix.O_PATH|unix.O_NOFOLLOW)
	switch err {
	case nil:
		defer closeFile(fd)
		w.allow(fd)
		return nil
	case unix.ENOENT, unix.EACCES, unix.ELOOP, unix.ESTALE, unix.EIO:
		return nil
	}
	return &os.PathError{Op: "open", Path: path, Err: err}
}

// allow adds the rule for a descriptor, unless it is of a file that must get none. What cannot have a rule, such as
// a pipe or a symbolic link, needs none.
func (w *writable) allow(fd int) {
	i, mode, err := look(fd, "", unix.AT_EMPTY_PATH)
	if err != nil || slices.Contains(w.trees, i.dev) || slices.Contains(w.passed, i) {
		return
	}
	access := w.access
	if mode&unix.S_IFMT != unix.S_IFDIR { // the kernel refuses a rule about a file with what only directories have
		access &^= unix.LANDLOCK_ACCESS_FS_REFER
	}
	// The kernel's struct has 12 bytes and no padding.
	var rule [12]byte
	*(*uint64)(unsafe.Pointer(&rule[0])) = access
	*(*int32)(unsafe.Pointer(&rule[8])) = int32(fd)
	syscall.RawSyscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(w.set), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
}
