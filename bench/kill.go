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

const bareKill = "a bare cgroup.kill"

// kill measures how long it takes to kill n processes that ignore SIGTERM. The bare way writes to
// cgroup.kill and waits for "populated 0". cginit also freezes the processes and lists them for its
// receipt; the times are those of its receipt.
func kill(l *lab) ([]*figure, error) {
	if l.own == "" {
		l.say("the kill is measured only where a cgroup can be made")
		return nil, nil
	}
	who := []string{bareKill, before, cginit}
	if l.before == "" {
		who = []string{bareKill, cginit}
	}
	f := &figure{
		Title: "Kill of n deaf processes",
		Note: "Processes that ignore SIGTERM. The bare way writes to cgroup.kill and waits for \"populated 0\". cginit also " +
			"freezes and lists them; its times are those of its receipt.",
	}
	crowds := []int{1, 100, 1000}
	if l.short {
		crowds = []int{1000}
	}
	for _, n := range crowds {
		rows := l.interleave(fmt.Sprintf("kill of %d", n), l.pick(15, 3), who, func(i int) ([]float64, error) {
			switch who[i] {
			case bareKill:
				return l.killBare(n)
			case before:
				return l.killBy(l.before, n)
			default:
				return l.killBy(l.cginit, n)
			}
		})
		until := column{Name: thousands(n) + ", until empty", Unit: "ms", Digits: 1, Reference: bareKill}
		whole := column{Name: thousands(n) + ", with freeze and list", Unit: "ms", Digits: 1, Reference: bareKill}
		if n == 1000 {
			until.Line, until.Goals, until.Chart = "kill of 1,000 deaf processes until empty", []goal{{Than: bareKill, Times: 1.1}}, "teardown"
			whole.Line, whole.Goals, whole.Chart = "the same with freeze and list", []goal{{Than: bareKill, Times: 1.2}}, "teardown"
		}
		f.add([]column{until, whole}, rows)
	}
	return []*figure{f}, nil
}

// deaf returns a command whose shell and n-1 children ignore SIGTERM. It prints "ready" when all of
// them exist.
func deaf(n int) []string {
	return []string{"sh", "-c", fmt.Sprintf(`trap "" TERM; i=1; while [ $i -lt %d ]; do sleep 1000 & i=$((i+1)); done; echo ready; exec sleep 1000`, n)}
}

// killBare returns how long a write to cgroup.kill takes to empty a cgroup of n processes, twice.
func (l *lab) killBare(n int) ([]float64, error) {
	dir, err := l.cgroup()
	if err != nil {
		return nil, err
	}
	fd, err := syscall.Open(string(dir), syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer syscall.Close(fd)
	cmd, err := startDeaf(deaf(n), &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: fd})
	if err != nil {
		return nil, err
	}
	w, err := cgroup.NewWatcher()
	if err != nil {
		return nil, err
	}
	watch, err := w.Add(dir, 1)
	if err != nil {
		return nil, err
	}
	defer watch.Close()
	begin := time.Now()
	if err := dir.Kill(); err != nil {
		return nil, err
	}
	for {
		if e, err := dir.Events(); err != nil || !e.Populated {
			break
		}
		if _, err := w.Wait(); err != nil {
			return nil, err
		}
	}
	took := ms(time.Since(begin))
	_ = cmd.Wait()
	return []float64{took, took}, dir.Remove()
}

// killBy returns how long the phase kill and the phases freeze (which includes the list) and kill take
// in cginit's teardown of n processes.
func (l *lab) killBy(cginit string, n int) ([]float64, error) {
	report := filepath.Join(l.dir, "report.json")
	defer os.Remove(report)
	argv := append([]string{cginit, "--stop-grace-period", "0s", "--report", report, "--"}, deaf(n)...)
	cmd, err := startDeaf(argv, nil)
	if err != nil {
		return nil, err
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return nil, err
	}
	_ = cmd.Wait() // the status is 137, because the main process was killed
	data, err := os.ReadFile(report)
	if err != nil {
		return nil, err
	}
	var receipt struct {
		Killed int
		Phases struct{ Freeze, Kill float64 } `json:"phases_ms"`
	}
	if err := json.Unmarshal(data, &receipt); err != nil {
		return nil, err
	}
	if receipt.Killed != n {
		return nil, fmt.Errorf("%d of %d were killed: %s", receipt.Killed, n, data)
	}
	return []float64{receipt.Phases.Kill, receipt.Phases.Freeze + receipt.Phases.Kill}, nil
}

// startDeaf starts a command and returns when it has printed a line.
func startDeaf(argv []string, sys *syscall.SysProcAttr) (*exec.Cmd, error) {
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
