//go:build 386 || arm

package ids

import "golang.org/x/sys/unix"

// The numbers of the calls.
const (
	SetUID    = unix.SYS_SETUID32
	SetGID    = unix.SYS_SETGID32
	SetGroups = unix.SYS_SETGROUPS32
	SetResUID = unix.SYS_SETRESUID32
	GetResUID = unix.SYS_GETRESUID32
)
