//go:build !386 && !arm

package deliver

import "golang.org/x/sys/unix"

// setresuid is the call that takes uids of 32 bits.
const setresuid = unix.SYS_SETRESUID
