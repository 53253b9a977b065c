//go:build !386 && !arm

package spawn

import "golang.org/x/sys/unix"

// The calls that take ids of 32 bits.
const setUID, setGID, setGroups = unix.SYS_SETUID, unix.SYS_SETGID, unix.SYS_SETGROUPS
