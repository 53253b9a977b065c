package main

import (
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// argsVariable has the command line, one argument a line, of a process that has none.
const argsVariable = "TREES_ARGS"

// text has the strings that a child passes to the kernel. It is not on the heap, because a child may lack
// parts of that.
var text struct {
	bytes [8192]byte
	used  int
}

// next is what a process of the tree executes: addresses of strings, with 0 after the last.
var next struct {
	path      uintptr
	args, env [32]uintptr
}

// prepareExec fills in next for this program, with a kind and a size. It returns the command line.
func prepareExec(kind string, n int) []string {
	path, err := os.Executable()
	if err != nil {
		fail("%v", err)
	}
	raw(syscall.SYS_FCNTL, readyW, syscall.F_SETFD, 0)
	args := append([]string{path, kind, strconv.Itoa(n)}, os.Args[3:]...)
	if !slices.Contains(args, "--join") {
		args = append(args, "--join", strconv.Itoa(int(readyW)))
	}
	next.path = place(path)
	if len(args) >= len(next.args) {
		fail("there are too many arguments to be executed again")
	}
	for i, arg := range args {
		next.args[i] = place(arg)
	}
	return args
}

// place copies a string into text, with a zero after it, and returns its address.
func place(s string) uintptr {
	at := text.used
	if text.used += len(s) + 1; text.used > len(text.bytes) {
		fail("there are too many strings for the children")
	}
	copy(text.bytes[at:], s)
	return uintptr(unsafe.Pointer(&text.bytes[at]))
}

//go:nosplit
func execNext() {
	_, errno := raw(syscall.SYS_EXECVE, next.path, uintptr(unsafe.Pointer(&next.args)), uintptr(unsafe.Pointer(&next.env)))
	giveUp(errno)
}

// program is the descriptor of the file in memory that a child of memfd executes.
var program uintptr

// memfd makes n children whose program is a file that is only in memory. They ignore signals.
func memfd(n int) {
	fd, err := unix.MemfdCreate("trees", unix.MFD_CLOEXEC)
	if err != nil {
		fail("cannot create a file in memory: %v", err)
	}
	path, err := os.Executable()
	if err != nil {
		fail("%v", err)
	}
	from, err := os.Open(path)
	if err != nil {
		fail("%v", err)
	}
	defer from.Close()
	if _, err := io.Copy(os.NewFile(uintptr(fd), "memory"), from); err != nil {
		fail("cannot copy this program: %v", err)
	}
	program = uintptr(fd)
	prepareExec("memfd", 1)
	next.path = place("") // the descriptor says it all
	grow(n, leafMemfd)
}

//go:nosplit
func leafMemfd(int) {
	args, env := uintptr(unsafe.Pointer(&next.args)), uintptr(unsafe.Pointer(&next.env))
	_, errno := raw6(unix.SYS_EXECVEAT, program, next.path, args, env, unix.AT_EMPTY_PATH, 0)
	giveUp(errno)
}

// name is what the kernel calls this program when it is executed by its path.
var name = [...]byte{'t', 'r', 'e', 'e', 's', 0}

// joinNamed makes this process one that ignores signals, and calls it as the tests expect it.
func joinNamed(int) {
	raw(syscall.SYS_PRCTL, syscall.PR_SET_NAME, uintptr(unsafe.Pointer(&name)), 0)
	leafDeaf(0)
}

// commandLine is the memory from which the kernel reads the arguments of this process.
var commandLine []byte

// noArgv makes n children whose command line is empty. Half of them have overwritten it with zeros, the
// others were executed without any argument. They ignore signals.
func noArgv(n int) {
	args := strings.Join(prepareExec("no-argv", 1), "\n")
	clear(next.args[:])
	next.env[0] = place(argsVariable + "=" + args)
	commandLine = unsafe.Slice(unsafe.StringData(os.Args[0]), len(strings.Join(os.Args, " ")))
	grow(n, leafNoArgv)
}

//go:nosplit
func leafNoArgv(i int) {
	if i%2 == 1 {
		execNext()
	}
	clear(commandLine)
	leafDeaf(0)
}
