package proctree

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// programs are the programs of jobs that do what no shell can, by argv[0].
var programs = map[string]func() int{
	"test-ptrace":    ptraceParent,
	"test-subreaper": subreaper,
	"test-rabbits":   rabbits,
	"test-noproc":    noProc,
	"test-limited":   limited,
}

// ptraceParent tries to trace its holder and to list its descriptors.
func ptraceParent() int {
	holder := os.Getppid()
	fmt.Println("attach:", unix.PtraceSeize(holder))
	_, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", holder))
	fmt.Println("look:", err)
	return pause()
}

// pause waits for a signal that ends the process.
func pause() int {
	for {
		_ = unix.Pause()
	}
}

// subreaper adopts five orphans in place of the holder, and exits.
func subreaper() int {
	_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	for range 5 {
		_, _ = syscall.ForkExec("/bin/sh", []string{"sh", "-c", "setsid sleep 1000 & exit"},
			&syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}})
	}
	for range 5 {
		_, _ = syscall.Wait4(-1, nil, 0, nil)
	}
	fmt.Println("children:", len(Below(os.Getpid())))
	return 3
}

// rabbits starts lines of processes that fork and exit, without a limit.
func rabbits() int {
	for range 4 {
		_, _ = syscall.ForkExec("/bin/sh", []string{"sh", "-c", `
			run() { (trap "" TERM; run) & }
			run`}, &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}})
	}
	fmt.Println("running")
	return 0
}

// limited executes its arguments with at most 60 processes of its uid.
func limited() int {
	if err := unix.Setrlimit(unix.RLIMIT_NPROC, &unix.Rlimit{Cur: 60, Max: 60}); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(syscall.Exec(os.Args[1], os.Args[1:], os.Environ()))
	return 1
}

// noProc is a supervisor whose /proc is empty. It prints what its holder tells.
func noProc() int {
	if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		fmt.Println("cannot make mounts private:", err)
		return 1
	}
	if err := unix.Mount("none", "/proc", "tmpfs", 0, ""); err != nil {
		fmt.Println("cannot hide /proc:", err)
		return 1
	}
	r, w, _ := os.Pipe()
	const job = `sh -c "setsid sleep $0 & (sleep $0; true) & wait" & (setsid sleep $0 &); echo ready; sleep $0`
	tree, err := Start(Order{
		Path: "/bin/sh", Args: []string{"sh", "-c", job, os.Args[1]}, Env: []string{"PATH=/usr/bin:/bin"},
		Files: []int{0, int(w.Fd()), 2},
	}, Place{})
	if err != nil {
		fmt.Println("cannot start:", err)
		return 1
	}
	w.Close()
	var ready [16]byte
	_, _ = r.Read(ready[:])
	_, err = tree.Procs()
	fmt.Println("list:", err)
	_ = tree.Freeze()
	_ = tree.Kill()
	for {
		e, err := tree.Read()
		if err != nil {
			return 1
		}
		if e.Kind == Frozen {
			fmt.Println("the holder reports frozen")
		}
		if e.Kind == Empty {
			fmt.Println("empty")
			return 0
		}
	}
}
