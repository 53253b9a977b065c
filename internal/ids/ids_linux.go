// Package ids has the system calls for users and groups whose ids have 32 bits. On 386 and arm the calls of the
// usual names take 16 bits, and package unix calls those for some.
package ids

import (
	"syscall"
	"unsafe"
)

// Getresuid returns the real, the effective and the saved uid of the calling thread.
func Getresuid() (real, effective, saved uint32) {
	_, _, _ = syscall.RawSyscall(GetResUID, uintptr(unsafe.Pointer(&real)), uintptr(unsafe.Pointer(&effective)), uintptr(unsafe.Pointer(&saved)))
	return real, effective, saved
}
