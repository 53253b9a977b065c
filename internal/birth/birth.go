// Package birth knows what this process was given at its start, before Go's runtime or its standard
// library changed it, and ends a process 1 well while no Go code can run yet.
//
// The package imports nothing, and its path sorts before "syscall". So Go initialises it before
// package syscall, which raises the soft limit of open files.
//
// On amd64 and arm64 a binary can be linked with "-E github.com/cginit/cginit/internal/birth.entry".
// Then SIGTERM, SIGINT and SIGHUP end a process 1 with 128 plus their number until they are caught. Without
// that option Go's runtime ends with status 2 if such a signal comes in those first milliseconds: the default
// action of a signal does not end a process 1. Go's runtime also starts with one processor and a small heap
// then, see [Environ].
package birth

import (
	"runtime"
	"unsafe"
)

// Limit is the kernel's struct rlimit64: two numbers of descriptors.
type Limit struct{ Soft, Hard uint64 }

// NoFile is the limit of open files (RLIMIT_NOFILE) at the start of this process. It is zero if it could
// not be read.
var NoFile Limit

// rawSyscall6 is package syscall's. A reference by name does not initialise that package first.
//
//go:linkname rawSyscall6 syscall.RawSyscall6
func rawSyscall6(number, a1, a2, a3, a4, a5, a6 uintptr) (r1, r2, errno uintptr)

func init() {
	const rlimitNoFile = 7
	_, _, errno := rawSyscall6(prlimit64(), 0, rlimitNoFile, 0, uintptr(unsafe.Pointer(&NoFile)), 0, 0)
	if errno != 0 {
		NoFile = Limit{}
	}
}

// prlimit64 returns the number of prlimit64(2). Package unix has it too, but initialises syscall first.
func prlimit64() uintptr {
	switch runtime.GOARCH {
	case "amd64":
		return 302
	case "386":
		return 340
	case "arm":
		return 369
	case "ppc64le":
		return 325
	case "s390x":
		return 334
	}
	return 261 // arm64, riscv64, loong64
}

// environment is the address of the list of variables that the kernel has given to this process. The entry
// sets it.
var environment unsafe.Pointer

// HasEntry tells whether this binary has the entry.
func HasEntry() bool { return environment != nil }

// Environ returns the environment that this process was given. Of several variables of a name it has the first,
// as [os.Environ] does. In a binary without the entry it returns what osEnviron does.
//
// With the entry os.Environ begins with GOMAXPROCS=1 and GOGC=25. One processor is enough for a program that
// waits most of the time, and saves thread switches. As calls, the two settings would stop all threads. As
// variables set from outside, they would reach every command. Nobody else can set them for this process.
func Environ(osEnviron func() []string) (env []string) {
	if !HasEntry() {
		return osEnviron()
	}
	known := map[string]bool{}
	for variable := (**byte)(environment); *variable != nil; variable = (**byte)(unsafe.Add(unsafe.Pointer(variable), unsafe.Sizeof(*variable))) {
		length := 0
		for *(*byte)(unsafe.Add(unsafe.Pointer(*variable), length)) != 0 {
			length++
		}
		text, name := unsafe.String(*variable, length), 0
		for name < length && text[name] != '=' {
			name++
		}
		if !known[text[:name]] {
			known[text[:name]] = true
			env = append(env, text)
		}
	}
	return env
}
