package supervisor

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/config"
	"golang.org/x/sys/unix"
)

// process is what /proc says of one.
type process struct {
	pid, ppid, group, session int

	state byte
	start time.Duration // since boot
	comm  string
}

// clockTick is the unit of times in /proc (USER_HZ, 100 on every Linux architecture that Go
// runs on).
const clockTick = 10 * time.Millisecond

func readProcess(pid int) (process, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, err
	}
	return parseStat(data)
}

// parseStat parses /proc/PID/stat, see proc_pid_stat(5). The command stands in parentheses
// and may itself hold any character, so what follows is found from the last parenthesis.
func parseStat(data []byte) (process, error) {
	open, closing := bytes.IndexByte(data, '('), bytes.LastIndexByte(data, ')')
	if open < 1 || closing < open {
		return process{}, fmt.Errorf("not a /proc/PID/stat: %q", data)
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(data[:open])))
	f := bytes.Fields(data[closing+1:])
	if err != nil || len(f) < 20 {
		return process{}, fmt.Errorf("not a /proc/PID/stat: %q", data)
	}
	p := process{pid: pid, state: f[0][0], comm: string(data[open+1 : closing])}
	p.ppid, _ = strconv.Atoi(string(f[1]))
	p.group, _ = strconv.Atoi(string(f[2]))
	p.session, _ = strconv.Atoi(string(f[3]))
	ticks, _ := strconv.ParseInt(string(f[19]), 10, 64)
	p.start = time.Duration(ticks) * clockTick
	return p, nil
}

// living leaves out those that are only zombies, or gone.
func living(pids []int) []process {
	var alive []process
	for _, pid := range pids {
		if p, err := readProcess(pid); err == nil && p.state != 'Z' && p.state != 'X' {
			alive = append(alive, p)
		}
	}
	return alive
}

// describe tells who p is and how it came to be there still.
func (r *run) describe(p process) Process {
	d := Process{Pid: p.pid, PPid: p.ppid, Command: commandLine(p), State: string(p.state), Outcome: "killed"}
	if age := sinceBoot() - p.start; age > 0 {
		d.Age = milliseconds(age)
	}
	if asked := r.book.asked[p.pid]; asked != 0 {
		d.Reasons = append(d.Reasons, heeded(p.pid, asked))
	} else {
		d.Reasons = append(d.Reasons, "was not asked")
	}
	// Where there is no cgroup to freeze we have stopped it ourselves, for the list.
	if r.level == LevelCgroup && (p.state == 'T' || p.state == 't') {
		d.Reasons = append(d.Reasons, "stopped")
	}
	// The process that we started leads its group; what stays in its session shares ours.
	own, adopted := p.session != r.main.session, p.ppid == os.Getpid() && p.pid != r.main.pid
	switch {
	case p.ppid == 0 && p.pid != r.main.pid:
		d.Reasons = append(d.Reasons, "entered from outside")
	case own && adopted:
		d.Reasons = append(d.Reasons, "daemonised")
	case own:
		d.Reasons = append(d.Reasons, "own session")
	case adopted:
		d.Reasons = append(d.Reasons, "orphaned")
	}
	return d
}

// heeded says what a process did about a signal that has not ended it.
func heeded(pid int, sig syscall.Signal) string {
	name := config.SignalName(sig)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return "outlived " + name
	}
	bit := uint64(1) << (sig - 1)
	switch {
	case statusMask(status, "SigIgn")&bit != 0:
		return "ignored " + name
	case statusMask(status, "SigBlk")&bit != 0:
		return "blocked " + name
	case statusMask(status, "SigCgt")&bit != 0:
		return "caught " + name + " and went on"
	}
	return "outlived " + name
}

// statusMask reads one signal mask of /proc/PID/status.
func statusMask(status []byte, key string) uint64 {
	_, rest, _ := bytes.Cut(status, []byte("\n"+key+":"))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	mask, _ := strconv.ParseUint(string(bytes.TrimSpace(line)), 16, 64)
	return mask
}

func commandLine(p process) string {
	const most = 200
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.pid))
	line := strings.TrimSpace(string(bytes.ReplaceAll(data, []byte{0}, []byte{' '})))
	if err != nil || line == "" {
		return p.comm
	}
	if len(line) > most {
		return strings.ToValidUTF8(line[:most], "") + "…"
	}
	return line
}

func sinceBoot() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}
