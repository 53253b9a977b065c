// Package spawn forks a process that executes a program, and waits for that exec no longer than it is told
// to. An exec can take as long as a file server or the holder of a lease likes.
//
// The child uses the memory of this process until its exec, so that little has to be copied, and the thread
// that has forked is suspended meanwhile (CLONE_VFORK). Package syscall does the same, but with that it
// suspends Go's runtime at the next garbage collection. Here the thread counts as being in a system call, as
// it is. The child makes only raw system calls, all of which are prepared before the fork.
package spawn
