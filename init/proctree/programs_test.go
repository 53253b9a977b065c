package proctree

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// programs are what jobs of the tests do that no shell can.
var programs = map[string]func() int{
	"test-ptrace":    ptraceParent,
	"test-subreaper": subreaper,
	"test-rabbits":   rabbits,
	"test-noproc":    noProc,
	"test-limited":   limited,
}

// ptraceParent tries to trace the holder, and to look into it.
func ptraceParent() int {
	holder := os.Getppid()
	fmt.Println("attach:", unix.PtraceSeize(holder))
	_, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", holder))
	fmt.Println("look:", err)
	return pause()
}

func pause() int {
	for {
		_ = unix.Pause()
	}
}

// subreaper puts itself between its orphans and the holder, and dies.
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

// rabbits are lines of processes that fork and exit, limited by nothing but the walk.
func rabbits() int {
	for range 4 {
		_, _ = syscall.ForkExec("/bin/sh", []string{"sh", "-c", `
			run() { (trap "" TERM; run) & }
			run`}, &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}})
	}
	fmt.Println("running")
	return 0
}

// limited executes the rest of the line with no more than 60 processes for its uid.
func limited() int {
	if err := unix.Setrlimit(unix.RLIMIT_NPROC, &unix.Rlimit{Cur: 60, Max: 60}); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(syscall.Exec(os.Args[1], os.Args[1:], os.Environ()))
	return 1
}

// noProc is a supervisor whose /proc is empty. It says what it finds.
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
			fmt.Println("frozen, it says")
		}
		if e.Kind == Empty {
			fmt.Println("empty")
			return 0
		}
	}
}
