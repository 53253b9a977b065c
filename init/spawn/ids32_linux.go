//go:build 386 || arm

package spawn

import "golang.org/x/sys/unix"

// The calls that take ids of 32 bits: the older ones of these platforms take 16.
const setUID, setGID, setGroups = unix.SYS_SETUID32, unix.SYS_SETGID32, unix.SYS_SETGROUPS32
