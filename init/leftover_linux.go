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
	"github.com/cginit/cginit/init/proctree"
	"golang.org/x/sys/unix"
)

// process is what /proc says of one.
type process struct {
	pid, ppid, group, session int

	state   byte
	threads int
	exiting bool          // it is on its way out, whatever its state
	start   time.Duration // since boot
	comm    string

	blocked, ignored, caught uint64 // signals 1 to 31, a bit each, from the lowest
}

// clockTick is the unit of times in /proc (USER_HZ, 100 on every Linux architecture that Go
// runs on).
const clockTick = 10 * time.Millisecond

// flagExiting is PF_EXITING of the kernel's include/linux/sched.h, a part of what /proc tells.
const flagExiting = 0x4

func readProcess(pid int) (process, error) {
	var buf [1024]byte
	data, err := readProc(pid, "stat", buf[:])
	if err != nil {
		return process{}, err
	}
	return parseStat(data)
}

// readProc reads the beginning of a file of /proc/PID: there may be thousands to read, and all
// stand still meanwhile.
func readProc(pid int, file string, buf []byte) ([]byte, error) {
	return readFile("/proc/"+strconv.Itoa(pid)+"/"+file, buf)
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
	if err != nil || len(f) < 32 {
		return process{}, fmt.Errorf("not a /proc/PID/stat: %q", data)
	}
	p := process{pid: pid, state: f[0][0], comm: string(data[open+1 : closing])}
	p.ppid, _ = strconv.Atoi(string(f[1]))
	p.group, _ = strconv.Atoi(string(f[2]))
	p.session, _ = strconv.Atoi(string(f[3]))
	flags, _ := strconv.ParseUint(string(f[6]), 10, 64)
	p.exiting = flags&flagExiting != 0
	p.threads, _ = strconv.Atoi(string(f[17]))
	ticks, _ := strconv.ParseInt(string(f[19]), 10, 64)
	p.start = time.Duration(ticks) * clockTick
	p.blocked, _ = strconv.ParseUint(string(f[29]), 10, 64)
	p.ignored, _ = strconv.ParseUint(string(f[30]), 10, 64)
	p.caught, _ = strconv.ParseUint(string(f[31]), 10, 64)
	return p, nil
}

// isDead: of a zombie whose threads live only the first has ended.
func (p process) isDead() bool { return p.state == 'X' || p.state == 'Z' && p.threads <= 1 }

// mayDie tells whether a kill can be expected to end it. What holds up the other threads of a
// zombie is not to be seen.
func (p process) mayDie() bool { return p.state != 'D' && p.state != 'Z' }

// readLiving is not ok for one that is only a zombie, or gone.
func readLiving(pid int) (p process, ok bool) {
	p, err := readProcess(pid)
	return p, err == nil && !p.isDead()
}

// living leaves out those that are not.
func living(pids []int) (there []process) {
	for _, pid := range pids {
		if p, ok := readLiving(pid); ok {
			there = append(there, p)
		}
	}
	return there
}

// listPatience is how long a list of those who are not frozen may take. Where they have all of the
// CPU it would take until they are done, and whoever stops us has a clock.
const listPatience = time.Second

var errSlow = fmt.Errorf("that takes longer than %v, because others have the CPU: there are more than the receipt says", listPatience)

// alive is living for a list that has begun already. Where it takes too long it ends, and an error
// says so. Those who are frozen have no CPU.
func alive(pids []int, frozen bool, begun time.Time) (there []int, err error) {
	for _, pid := range pids {
		if !frozen && time.Since(begun) > listPatience {
			return there, errSlow
		}
		if _, ok := readLiving(pid); ok {
			there = append(there, pid)
		}
	}
	return there, nil
}

// describe tells who p is and how it came to be there still.
func (r *run) describe(p process) Process {
	d := Process{Pid: p.pid, PPid: p.ppid, Command: commandLine(p), State: string(p.state), Outcome: "killed"}
	if age := sinceBoot() - p.start; age > 0 {
		d.Age = milliseconds(age)
	}
	if asked := r.book.asked[p.pid]; asked != 0 {
		d.Reasons = append(d.Reasons, heeded(p, asked))
	} else {
		d.Reasons = append(d.Reasons, "was not asked")
	}
	// Where there is no cgroup to freeze we have stopped it ourselves, for the list.
	if r.level == LevelCgroup && (p.state == 'T' || p.state == 't') {
		d.Reasons = append(d.Reasons, "stopped")
	}
	// The process that we started leads its group; what stays in its session shares ours.
	own, adopted := p.session != r.main.session, p.ppid == r.adopter() && p.pid != r.main.pid
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

// isHeld tells whether a holder is the parent of the run's main process, and not we.
func (r *run) isHeld() bool {
	t, ok := r.containment.(*tree)
	return ok && t.Tree != nil && !t.gone
}

// holder is the run's, nil if it has none.
func (r *run) holder() *proctree.Tree {
	t, ok := r.containment.(*tree)
	if !ok {
		return nil
	}
	return t.Tree
}

// adopter is who orphans of the run are left to.
func (r *run) adopter() int {
	if r.isHeld() {
		return r.containment.(*tree).Pid
	}
	return os.Getpid()
}

// heeded says what a process did about a signal that has not ended it.
func heeded(p process, sig syscall.Signal) string {
	name := config.SignalName(sig)
	bit := uint64(1) << (sig - 1)
	switch {
	case p.ignored&bit != 0:
		return "ignored " + name
	case p.blocked&bit != 0:
		return "blocked " + name
	case p.caught&bit != 0:
		return "caught " + name + " and went on"
	}
	return "outlived " + name
}

func commandLine(p process) string {
	const most = 200
	var buf [4 * most]byte
	data, err := readProc(p.pid, "cmdline", buf[:])
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
