//go:build 386 || arm

package deliver

import "golang.org/x/sys/unix"

// setresuid is the call that takes uids of 32 bits: the older one of these platforms takes 16.
const setresuid = unix.SYS_SETRESUID32
