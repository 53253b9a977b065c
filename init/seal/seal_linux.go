// Package seal keeps a process, and all that it starts, from signalling and tracing what is outside, from the
// cgroup tree, and from mounting: by Landlock, which needs no privilege.
//
// A sealed process is in a domain of Landlock. The kernel lets it signal only processes of its domain and of
// domains below it (since Linux 6.12), and trace only those (since Linux 5.13). It can write to all files but
// those below the mounts of cgroups, whatever its capabilities are, and can neither mount nor unmount. It cannot
// leave the domain, and a domain of its own is below.
package seal

import (
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

// MovesFiles tells whether a sealed process can move and link files from one directory to another.
func MovesFiles() bool {
	v, err := Version()
	return err == nil && v >= refers
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
	if err := allowFiles(int(set), rules.Handled_access_fs); err != nil {
		return err
	}
	restrict := func() error {
		if _, _, errno := syscall.RawSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, set, 0, 0); errno != 0 {
			return errno
		}
		return nil
	}
	err = restrict()
	if err == unix.EPERM {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return err
		}
		err = restrict()
	}
	if err != nil {
		return err
	}
	return refuseClone3()
}

// refuseClone3 answers clone3(2) with ENOSYS from now on, as the default filter of Docker does: its argument can
// name a cgroup. The C libraries and Go then use clone(2), which takes none.
func refuseClone3() error {
	const number, x32 = 0, 0x40000000 // of struct seccomp_data; the bit of that ABI of amd64
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: number},
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: ^uint32(x32)},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_CLONE3, Jf: 1}, // the same on all platforms
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	const setModeFilter = 1
	_, _, errno := syscall.RawSyscall(unix.SYS_SECCOMP, setModeFilter, 0, uintptr(unsafe.Pointer(&program)))
	if errno == unix.EACCES { // with CAP_SYS_ADMIN in a user namespace that is not ours
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return err
		}
		_, _, errno = syscall.RawSyscall(unix.SYS_SECCOMP, setModeFilter, 0, uintptr(unsafe.Pointer(&program)))
	}
	if errno != 0 {
		return errno
	}
	return nil
}
