package main

import (
	"debug/elf"
	"debug/gosym"
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"time"
)

// breakpoint is the instruction that stops a traced process, where it is known.
var breakpoint = map[string][]byte{"amd64": {0xcc}, "arm64": {0, 0, 0x20, 0xd4}}[runtime.GOARCH]

// beforeMain measures the time from the exec of a Go program until its main function begins: Go's own
// start and the initialisation of all packages. The process is traced: it stops after its exec, gets a
// breakpoint as the first instruction of main.main, and goes on. The clock runs from there until the
// process stops again.
func beforeMain(l *lab) ([]*figure, error) {
	if breakpoint == nil {
		l.say("before main: not measured on %s", runtime.GOARCH)
		return nil, nil
	}
	all := []subject{
		{floor, []string{l.program("floor"), "/bin/true"}},
		{floorCgroups, []string{l.program("cgroups"), "/", "/bin/true"}},
		{before, []string{l.before, "--", "/bin/true"}},
		{cginit, []string{l.cginit, "--", "/bin/true"}},
	}
	if l.before == "" {
		all = append(all[:2], all[3])
	}
	entries := make([]uintptr, len(all))
	for i, s := range all {
		var err error
		if entries[i], err = mainOf(s.prefix[0]); err != nil {
			return nil, fmt.Errorf("%s: %w", s.prefix[0], err)
		}
	}
	rows := l.interleave("before main", l.pick(300, 100), names(all), func(i int) ([]float64, error) {
		took, err := reachMain(all[i].prefix, entries[i])
		return []float64{ms(took)}, err
	})
	f := &figure{
		Title: "Time before main",
		Note: "From the end of the exec to the first instruction of main.main, where a debugger's breakpoint stops the " +
			"process: Go's own start and the initialisation of all packages. The same two switches to the tracer are in each.",
	}
	f.add([]column{{
		Name: "from exec to main", Unit: "ms", Digits: 2, Reference: floor, Line: "time before main",
		Goals: []goal{{Than: floor, Times: 1.3}}, Chart: "startup",
	}}, rows)
	return []*figure{f}, nil
}

// mainOf returns the address of main.main. Stripped programs have it too, in the table that Go's runtime
// uses for tracebacks.
func mainOf(program string) (uintptr, error) {
	f, err := elf.Open(program)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	text, lines := f.Section(".text"), f.Section(".gopclntab")
	if text == nil || lines == nil {
		return 0, errors.New("not a Go program")
	}
	data, err := lines.Data()
	if err != nil {
		return 0, err
	}
	table, err := gosym.NewTable(nil, gosym.NewLineTable(data, text.Addr))
	if err != nil {
		return 0, err
	}
	main := table.LookupFunc("main.main")
	if main == nil {
		return 0, errors.New("main.main is not in its table of functions")
	}
	return uintptr(main.Entry), nil
}

// reachMain starts a program, and kills it when it has reached the address.
func reachMain(argv []string, address uintptr) (time.Duration, error) {
	runtime.LockOSThread() // only the thread that has started the process traces it
	defer runtime.UnlockOSThread()
	pid, err := syscall.ForkExec(argv[0], argv, &syscall.ProcAttr{Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Ptrace: true}})
	if err != nil {
		return 0, err
	}
	defer func() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
		_, _ = syscall.Wait4(pid, nil, 0, nil)
	}()
	var ws syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &ws, 0, nil); err != nil || !ws.Stopped() {
		return 0, fmt.Errorf("it has not stopped after its exec: %w", err)
	}
	if _, err := syscall.PtracePokeText(pid, address, breakpoint); err != nil {
		return 0, err
	}
	begin, pass := time.Now(), 0
	for {
		if err := syscall.PtraceCont(pid, pass); err != nil {
			return 0, err
		}
		if _, err := syscall.Wait4(pid, &ws, 0, nil); err != nil || !ws.Stopped() {
			return 0, fmt.Errorf("it has ended before main: %w", err)
		}
		if ws.StopSignal() == syscall.SIGTRAP {
			return time.Since(begin), nil
		}
		pass = int(ws.StopSignal())
	}
}
