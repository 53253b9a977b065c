package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cginit/cginit/cgroup"
)

// teardown measures how long it takes to kill n processes that ignore SIGTERM. The bare way writes to
// cgroup.kill and waits for "populated 0". cginit also freezes the processes and lists them for its
// receipt.
func teardown(cginit, _ string) error {
	own, err := cgroup.Find()
	if err != nil {
		fmt.Printf("\nNo cgroup here, so no teardown is measured: %v\n", err)
		return nil
	}
	const rounds = 15
	fmt.Printf("\n### Killing n deaf processes, %d runs each, median ms\n\n", rounds)
	fmt.Println("| n | cgroup.kill alone | cginit: kill until empty | cginit: freeze and list as well |\n| --- | --- | --- | --- |")
	for _, n := range []int{1, 10, 100, 1000} {
		var bare, kill, whole []time.Duration
		for range rounds {
			b, err := killBare(own, n)
			if err != nil {
				return err
			}
			f, k, err := killByCginit(cginit, n)
			if err != nil {
				return err
			}
			bare, kill, whole = append(bare, b), append(kill, k), append(whole, f+k)
		}
		fmt.Printf("| %d | %.2f | %.2f | %.2f |\n", n, ms(median(bare)), ms(median(kill)), ms(median(whole)))
	}
	return nil
}

// deaf returns a command whose shell and n-1 children ignore SIGTERM. It prints "ready" when all of
// them exist.
func deaf(n int) []string {
	return []string{"sh", "-c", fmt.Sprintf(`trap "" TERM; i=1; while [ $i -lt %d ]; do sleep 1000 & i=$((i+1)); done; echo ready; exec sleep 1000`, n)}
}

// killBare returns how long a write to cgroup.kill takes to empty a cgroup of n processes.
func killBare(own cgroup.Dir, n int) (time.Duration, error) {
	dir, err := own.MakeUnique("cginit.bench")
	if err != nil {
		return 0, err
	}
	fd, err := syscall.Open(string(dir), syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer syscall.Close(fd)
	cmd, err := start(deaf(n), &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: fd})
	if err != nil {
		return 0, err
	}
	w, err := cgroup.NewWatcher()
	if err != nil {
		return 0, err
	}
	watch, err := w.Add(dir, 1)
	if err != nil {
		return 0, err
	}
	defer watch.Close()
	begin := time.Now()
	if err := dir.Kill(); err != nil {
		return 0, err
	}
	for {
		if e, err := dir.Events(); err != nil || !e.Populated {
			break
		}
		if _, err := w.Wait(); err != nil {
			return 0, err
		}
	}
	took := time.Since(begin)
	_ = cmd.Wait()
	return took, dir.Remove()
}

// killByCginit returns how long the phases freeze (which includes the list) and kill take in the
// teardown of n processes.
func killByCginit(cginit string, n int) (freeze, kill time.Duration, err error) {
	report := filepath.Join(os.TempDir(), fmt.Sprintf("cginit-bench-%d.json", os.Getpid()))
	defer os.Remove(report)
	argv := append([]string{cginit, "--stop-grace-period", "0s", "--report", report, "--"}, deaf(n)...)
	cmd, err := start(argv, nil)
	if err != nil {
		return 0, 0, err
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, 0, err
	}
	_ = cmd.Wait() // the status is 137, because the main process was killed
	data, err := os.ReadFile(report)
	if err != nil {
		return 0, 0, err
	}
	var receipt struct {
		Killed int
		Phases struct{ Freeze, Kill float64 } `json:"phases_ms"`
	}
	if err := json.Unmarshal(data, &receipt); err != nil {
		return 0, 0, err
	}
	if receipt.Killed != n {
		return 0, 0, fmt.Errorf("%d of %d were killed: %s", receipt.Killed, n, data)
	}
	in := func(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }
	return in(receipt.Phases.Freeze), in(receipt.Phases.Kill), nil
}

// start starts a command and returns when it has printed a line.
func start(argv []string, sys *syscall.SysProcAttr) (*exec.Cmd, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.SysProcAttr = sys
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	_, err = bufio.NewReader(out).ReadString('\n')
	return cmd, err
}
