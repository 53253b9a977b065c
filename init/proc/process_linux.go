package proc

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cginit/cginit/internal/rawfile"
	"golang.org/x/sys/unix"
)

// Process is what /proc/PID/stat said of a process at the moment of reading.
type Process struct {
	Pid, PPid, Group, Session int

	// State is the kernel's letter for the state of the first thread, such as 'R' (running),
	// 'S' (sleeping), 'D' (uninterruptible sleep), 'T' (stopped) and 'Z' (zombie).
	State byte
	// Threads is the number of threads. The first one counts even after it has ended.
	Threads int
	// Exiting is true once the process is on its way out, whatever its state.
	Exiting bool
	// Start is when the process started, as the time since boot, in steps of 10 ms.
	Start time.Duration
	// Comm is the name of the command, at most 15 bytes for an ordinary process. It may hold any
	// character. [Reader.Stat] leaves it empty.
	Comm string

	// Blocked, Ignored and Caught are sets of the signals 1 to 31: bit 0 is signal 1.
	Blocked, Ignored, Caught uint64
}

// Read returns what /proc/PID/stat says of a process. The error is an errno if the file cannot be
// read: ENOENT or ESRCH for a process that does not exist.
func Read(pid int) (Process, error) {
	var buf [1024]byte
	data, err := rawfile.Read("/proc/"+strconv.Itoa(pid)+"/stat", buf[:])
	if err != nil {
		return Process{}, err
	}
	p, comm, ok := parseStat(data)
	if !ok {
		return Process{}, fmt.Errorf("cannot parse /proc/%d/stat: %q", pid, data)
	}
	p.Comm = string(comm)
	return p, nil
}

// IsDead reports whether all threads of the process have ended. A zombie that has other threads is
// alive: only its first thread has ended.
func (p Process) IsDead() bool { return p.State == 'X' || p.State == 'Z' && p.Threads <= 1 }

// IsStopped reports whether the process is stopped, by a signal or by a tracer.
func (p Process) IsStopped() bool { return p.State == 'T' || p.State == 't' }

// MayDie reports whether SIGKILL can be expected to end the process soon. It is false in state D; in state t,
// where its tracer keeps it; and for a zombie that has other threads, because /proc/PID/stat does not say
// what delays those.
func (p Process) MayDie() bool { return p.State != 'D' && p.State != 't' && p.State != 'Z' }

// Age returns how long ago the process started, 0 if that is unknown.
func (p Process) Age() time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		return 0
	}
	return max(time.Duration(now.Nano())-p.Start, 0)
}

// CommandLine returns the first 200 bytes of the arguments of the process, joined by spaces, and
// "…" after them if there are more. It returns Comm if the arguments cannot be read or are empty,
// as those of a zombie are.
func (p Process) CommandLine() string {
	const most = 200
	var buf [4 * most]byte
	data, err := rawfile.Read("/proc/"+strconv.Itoa(p.Pid)+"/cmdline", buf[:])
	line := strings.TrimSpace(string(bytes.ReplaceAll(data, []byte{0}, []byte{' '})))
	if err != nil || line == "" {
		return p.Comm
	}
	if len(line) > most {
		return strings.ToValidUTF8(line[:most], "") + "…"
	}
	return line
}
