//go:build amd64 || arm64

package spawn

// sharesMemory says that vfork works for a child with our memory (CLONE_VM).
const sharesMemory = true

// vfork makes the system call clone or clone3, and returns twice, like fork(2). The child of a clone with
// CLONE_VM must not return from the function that calls vfork.
//
//go:noescape
func vfork(number, a1, a2, a3 uintptr) (pid, errno uintptr)
