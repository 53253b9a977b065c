package hold

import (
	"syscall"
	"time"

	"github.com/cginit/cginit/init/proc"
)

// Containment holds one run's processes. None of its calls blocks, and none waits for what it asks
// for: the loop looks again, when it is told to by the [Listener] or when a deadline passes.
type Containment interface {
	// Level returns how the run is held.
	Level() Level
	// Start starts the main process. With Pending its outcome is told to the listener later.
	Start(o *Order) (Progress, error)
	// Abandon gives up the start of a main process that is pending. The listener is told when
	// nothing of it is left. It may have to be called again.
	Abandon() error
	// Main returns the main process; its pid is 0 before its start.
	Main() Main
	// Adopter returns the pid of the process that orphans of the run are left to.
	Adopter() int
	// Owns tells whether a process is one of the run's. A process that has ended since cannot be
	// told any more, and counts as one.
	Owns(pid int) bool
	// Procs returns the pids of the run's processes, zombies left out. With an error it returns
	// some of them.
	Procs() ([]int, error)
	// SignalMain signals the main process, which must not have ended, or its process group.
	SignalMain(sig syscall.Signal, group bool) error
	// Signal sends a signal once to every process of the run, including those that are forked
	// meanwhile.
	Signal(sig syscall.Signal) error
	// Freeze has every process stand still; Frozen tells when they do. Thaw lets them go on.
	Freeze() error
	Thaw() error
	Frozen() bool
	// HasStopped tells whether a process is stopped by itself, and not by Freeze.
	HasStopped(p proc.Process) bool
	// Kill sends SIGKILL to every process of the run. It is called again until Empty.
	Kill() error
	// Empty tells whether the kernel knows no live process of the run any more.
	Empty() bool
	// Usage returns what the run has used. It is called before Remove.
	Usage() Usage
	// Remove gives back what the containment is made of.
	Remove() error
}

// Usage is what a run has used. A field is nil if this level, or a missing controller, cannot
// measure it.
type Usage struct {
	CPU        *time.Duration
	MemoryPeak *uint64 // bytes
	PidsPeak   *uint64 // processes and threads at once
	OOMKills   *uint64
}

// Main is the main process of a run.
type Main struct {
	Pid     int // 0 before its start
	Session int
}

// Progress is how far the start of a main process has come.
type Progress int

// The steps of a start.
const (
	// Pending says that a holder has been told to start the main process, and may have.
	Pending Progress = iota
	// Forked says that the main process exists and has not executed the command yet.
	Forked
	// Executed says that the main process executes the command.
	Executed
)

// Listener is told by a containment what becomes of its run. All calls come in the loop.
type Listener interface {
	// Started says how a start that was Pending has ended: Forked or Executed, or an error, after
	// which Start may be called again.
	Started(p Progress, err error)
	// ExecEnded says, after Forked, that the command is executed, or with an error that it cannot be.
	ExecEnded(err error)
	// MainEnded says how the main process has ended.
	MainEnded(ws syscall.WaitStatus)
	// MainStopped says that the main process has been stopped by a signal.
	MainStopped()
	// Changed says that it is time to look again at Frozen and Empty.
	Changed()
	// AwaitsOrphans says that a holder that was lost during the start has left processes, which have
	// been killed. If it returns true the listener calls Abandon again, until they have ended.
	AwaitsOrphans() bool
	// HolderLost says that somebody has killed the holder. MustKill comes after it, and says that what
	// it held can only be killed now.
	HolderLost()
	MustKill()
}
