package main

import (
	"fmt"
	"syscall"
	"unsafe"
)

//go:nosplit
func leafPlain(int) {
	sayReady()
	pause()
}

//go:nosplit
func leafSetsid(int) {
	setsid()
	sayReady()
	pause()
}

//go:nosplit
func leafDeaf(int) {
	setAll(&ignore)
	leafPlain(0)
}

// youngest is the pid of the last child that grow has made.
var youngest uintptr

// grow makes n children of this process. Each runs leaf, which must be go:nosplit.
func grow(n int, leaf func(i int)) { growAs(n, uintptr(syscall.SIGCHLD), leaf) }

// growAs is grow with flags for clone(2), the exit signal included. It returns the pids of the children.
func growAs(n int, flags uintptr, leaf func(i int)) []uintptr {
	pids := make([]uintptr, n)
	for i := range pids {
		pid, errno := clone(flags)
		if errno != 0 {
			refused(errno)
		}
		if pid == 0 {
			leaf(i)
		}
		youngest, pids[i] = pid, pid
	}
	awaitReady(n)
	return pids
}

// daemons makes n processes as daemon(3) does: each has a session of its own and is an orphan.
func daemons(n int) {
	for range n {
		pid := fork()
		if pid == 0 {
			setsid()
			if fork() == 0 {
				leafPlain(0)
			}
			exit(0)
		}
		wait4(pid, 0)
	}
	awaitReady(n)
}

// link is the number of generations after which a chain executes itself anew. A fork takes longer with
// each generation that its memory was inherited through: a chain of 2,000 would take half a minute.
const link = 200

// chain makes n processes, each the child of the one before.
func chain(n int) {
	prepareNext(n)
	if fork() == 0 {
		leafChain(n)
	}
	awaitReady(n)
}

// joinChain continues a chain. This process is the first of the n that are missing.
func joinChain(n int) {
	prepareNext(n)
	leafChain(n)
}

//go:nosplit
func leafChain(n int) {
	for left := n - 1; left > 0 && fork() == 0; left-- {
		if n-left == link {
			execNext()
		}
	}
	leafPlain(0)
}

// prepareNext fills in next for a chain that is still n processes long.
func prepareNext(n int) {
	if n > link {
		prepareExec("chain", n-link)
	}
}

// stopped makes n children, which are stopped when it returns.
func stopped(n int) {
	grow(n, leafStopped)
	for range n {
		if errno := wait4(-1, syscall.WUNTRACED); errno != 0 {
			fail("cannot wait for a stopped child: %v", errno)
		}
	}
}

//go:nosplit
func leafStopped(int) {
	sayReady()
	self, _ := raw(syscall.SYS_GETPID, 0, 0, 0)
	raw(syscall.SYS_KILL, self, uintptr(syscall.SIGSTOP), 0)
	pause()
}

// bomb makes n lines of processes that fork and exit for ever, so that a snapshot of the tree is out of
// date before it is complete. The lines wait for their start until all of them exist. Once they run,
// the main process gets hardly any time. So the first line prints "ready", when it has begun to replace
// itself.
func bomb(n int) {
	// The first process of each line is a child of this one, which does not wait for it.
	setOne(syscall.SIGCHLD, &ignore)
	grow(n, leafBomb)
}

var readyLine = [...]byte{'r', 'e', 'a', 'd', 'y', '\n'}

// lag is how many generations a line may be ahead of the process that reaps it. Without it the bomb
// would be bounded only by the number of pids of the machine.
const lag = 8

//go:nosplit
func leafBomb(i int) {
	if i%2 == 0 {
		setsid()
	}
	sayReady()
	raw(syscall.SYS_CLOSE, startW, 0, 0)
	raw(syscall.SYS_READ, startR, uintptr(unsafe.Pointer(&one)), 1)
	var ancestors [lag]uintptr
	for generation := 0; now() < deadline; generation++ {
		if i == 0 && generation == 2 {
			raw(syscall.SYS_WRITE, 1, uintptr(unsafe.Pointer(&readyLine)), uintptr(len(readyLine)))
		}
		old := &ancestors[generation%lag]
		for *old != 0 && exists(*old) && now() < deadline {
			nap(100_000)
		}
		if pace > 0 {
			nap(pace)
		}
		*old, _ = raw(syscall.SYS_GETPID, 0, 0, 0)
		if fork() != 0 {
			exit(0)
		}
	}
	exit(0)
}

// orphans makes n processes that end as orphans, as fast as one process can. The kernel reaps their
// parents, because SIGCHLD is ignored. It prints its progress, which can be slow on a busy machine, and
// "half" when half of them are born.
func orphans(n int) {
	setOne(syscall.SIGCHLD, &ignore)
	for i := range n {
		if fork() == 0 {
			fork()
			exit(0)
		}
		switch {
		case i == n/2:
			fmt.Println("half")
		case i%1000 == 999:
			fmt.Println("so far", i+1)
		}
	}
	wait4(-1, 0) // fails with ECHILD when the last parent has ended
}
