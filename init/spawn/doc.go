// Package spawn forks a process that executes a program, and never waits for that exec unless it is
// asked to. An exec can take as long as a file server or the holder of a lease likes. Package syscall
// suspends the whole thread until it is done (CLONE_VFORK), and with that Go's runtime at the next
// garbage collection.
//
// The child is a copy of this process with one thread. It makes only raw system calls, all of which are
// prepared before the fork.
package spawn
