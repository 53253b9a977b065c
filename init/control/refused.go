//go:build !windows

package control

import "syscall"

// errRefused says that nothing listens on a socket.
const errRefused = syscall.ECONNREFUSED
