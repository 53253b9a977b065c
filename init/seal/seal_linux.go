// Package seal keeps a process, and all that it starts, from signalling and tracing what is outside, from the
// cgroup tree, and from mounting: by Landlock, which needs no privilege.
//
// A sealed process is in a domain of Landlock. The kernel lets it signal only processes of its domain and of
// domains below it (since Linux 6.12), and trace only those (since Linux 5.13). It can write to all files but
// those below the mounts of cgroups, whatever its capabilities are, and can neither mount nor unmount. It cannot
// leave the domain, and a domain of its own is below.
package seal

import (
	"bytes"
	"os"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The versions of Landlock's interface that something depends on: renames and links from one directory to another
// (Linux 5.19), writes to a file by truncation (Linux 6.2), and signals and abstract sockets (Linux 6.12).
const (
	refers    = 2
	truncates = 3
	scopes    = 6
)

// Version returns the version of Landlock's interface here. The error is ENOSYS if the kernel lacks it or an
// emulator refuses it, EOPNOTSUPP if it was not enabled when the kernel started (lsm=), and EPERM if a seccomp
// filter refuses it.
func Version() (int, error) {
	v, _, errno := syscall.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0, errno
	}
	return int(v), nil
}

// HoldsSignals tells whether a sealed process cannot signal what is outside.
func HoldsSignals() bool {
	v, err := Version()
	return err == nil && v >= scopes
}

// Apply seals the calling thread, and so the program that it executes. With sockets it also keeps it from
// connecting to abstract sockets that others have bound. Without CAP_SYS_ADMIN it sets no-new-privileges.
func Apply(sockets bool) error {
	version, err := Version()
	if err != nil {
		return err
	}
	rules := unix.LandlockRulesetAttr{Handled_access_fs: unix.LANDLOCK_ACCESS_FS_WRITE_FILE}
	if version >= refers { // what no rule allows is EXDEV otherwise, also where nothing else is handled
		rules.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if version >= truncates {
		rules.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if version >= scopes {
		rules.Scoped = unix.LANDLOCK_SCOPE_SIGNAL
		if sockets {
			rules.Scoped |= unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
		}
	}
	// An older kernel takes the part that it does not know, if that is zero.
	set, _, errno := syscall.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&rules)), unsafe.Sizeof(rules), 0)
	if errno != 0 {
		return errno
	}
	defer unix.Close(int(set))
	w := writable{set: set, access: rules.Handled_access_fs, closed: cgroupMounts()}
	w.allowBelow("/")
	restrict := func() syscall.Errno {
		_, _, errno := syscall.RawSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, set, 0, 0)
		return errno
	}
	errno = restrict()
	if errno == unix.EPERM {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return err
		}
		errno = restrict()
	}
	if errno != 0 {
		return errno
	}
	return nil
}

// cgroupMounts returns where cgroups are mounted, in our mount namespace. Without /proc it returns where they
// usually are.
func cgroupMounts() []string {
	const usual = "/sys/fs/cgroup"
	table, err := os.ReadFile("/proc/self/mountinfo")
	mounts := []string{usual}
	if err != nil {
		return mounts
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
	return mounts
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

// writable adds rules to a ruleset.
type writable struct {
	set    uintptr
	access uint64
	closed []string // the directories that get no rule
}

// allowBelow allows writes to all that is in a directory now, but not to the closed ones. A rule is about a file or
// a directory with all below it, so a directory that leads to a closed one gets none, but what is in it does.
func (w *writable) allowBelow(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		path := strings.TrimSuffix(dir, "/") + "/" + e.Name()
		switch isClosed, leads := w.look(path); {
		case isClosed || e.Type()&os.ModeSymlink != 0: // a rule would be about the link's target
		case leads:
			w.allowBelow(path)
		default:
			w.allow(path, e.IsDir())
		}
	}
}

// look tells whether a path is closed, or leads to a closed one.
func (w *writable) look(path string) (isClosed, leads bool) {
	for _, c := range w.closed {
		isClosed = isClosed || path == c
		leads = leads || strings.HasPrefix(c, path+"/")
	}
	return isClosed, leads
}

// allow adds the rule for a path. What cannot get one is not writable, which is an error of the command then.
func (w *writable) allow(path string, isDir bool) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	access := w.access
	if !isDir { // the kernel refuses a rule about a file that allows what only directories have
		access &^= unix.LANDLOCK_ACCESS_FS_REFER
	}
	// The kernel's struct has 12 bytes and no padding.
	var rule [12]byte
	*(*uint64)(unsafe.Pointer(&rule[0])) = access
	*(*int32)(unsafe.Pointer(&rule[8])) = int32(fd)
	syscall.RawSyscall6(unix.SYS_LANDLOCK_ADD_RULE, w.set, unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
}
