//go:build !386 && !arm

package ids

import "golang.org/x/sys/unix"

// The numbers of the calls.
const (
	SetUID    = unix.SYS_SETUID
	SetGID    = unix.SYS_SETGID
	SetGroups = unix.SYS_SETGROUPS
	SetResUID = unix.SYS_SETRESUID
	GetResUID = unix.SYS_GETRESUID
)
