package hold

import (
	"syscall"
	"time"

	"github.com/cginit/cginit/init/proc"
)

// Containment holds the processes of one run. No call blocks or waits for its effect. The loop
// looks again when the [Listener] tells it to or when a deadline passes.
type Containment interface {
	// Level returns at which level the run is held.
	Level() Level
	// Start starts the main process and returns how far it has come. With Pending, the listener
	// gets the outcome later.
	Start(o *Order) (Progress, error)
	// Abandon gives up a pending start. The listener is told when nothing of the start is left. It
	// may have to be called again.
	Abandon() error
	// Main returns the main process; its pid is 0 before its start.
	Main() Main
	// SetMain makes another process of the run its main process: the listener is told of its end,
	// and not of that of the present one. The error says why that is not possible.
	SetMain(pid int) error
	// Adopter returns the pid of the process that becomes the parent of the run's orphans.
	Adopter() int
	// Owns tells whether a process belongs to the run. known is false, and so is owns, if that cannot
	// be seen, because the process has ended or /proc does not show it.
	Owns(pid int) (owns, known bool)
	// Procs returns the pids of the run's processes, without zombies. With an error the list is
	// incomplete.
	Procs() ([]int, error)
	// SignalMain signals the main process, or its process group. The main process must not have
	// ended.
	SignalMain(sig syscall.Signal, group bool) error
	// Signal sends a signal once to every process of the run, also to those that are forked
	// meanwhile.
	Signal(sig syscall.Signal) error
	// Freeze makes every process stand still. Frozen tells when all of them do. Thaw lets them go
	// on.
	Freeze() error
	Thaw() error
	Frozen() bool
	// HasStopped tells whether a process was stopped by a signal and not by Freeze.
	HasStopped(p proc.Process) bool
	// Kill sends SIGKILL to every process of the run. The caller repeats it until Empty.
	Kill() error
	// Empty tells whether the kernel knows no live process of the run.
	Empty() bool
	// Unreaped tells whether all that is left of the run is dead but cannot be waited for, which takes
	// a look at /proc. It happens for a moment at each end, and for long if a tracer does not wait.
	// status is that of the main process, nil if it has been waited for or nobody can know it.
	Unreaped() (status *syscall.WaitStatus, is bool)
	// Usage returns the resources that the run has used. The caller asks before Remove.
	Usage() Usage
	// Remove releases what the containment is made of, such as a cgroup.
	Remove() error
}

// Usage is what a run has used. A field is nil if this level cannot measure it or if its controller
// is missing.
type Usage struct {
	CPU        *time.Duration // user and system time
	MemoryPeak *uint64        // bytes
	PidsPeak   *uint64        // processes and threads at once
	OOMKills   *uint64        // processes that the kernel killed for lack of memory
}

// Main is the main process of a run.
type Main struct {
	Pid     int // 0 before its start
	Session int // 0 before its start
}

// Progress is how far the start of a main process has come.
type Progress int

// The steps of a start.
const (
	// Pending means that a holder was told to start the main process, and that the outcome comes
	// later.
	Pending Progress = iota
	// Forked means that the main process exists and has not executed the command yet.
	Forked
	// Executed means that the main process has executed the command.
	Executed
)

// Listener is told what happens to a run. All of its methods are called in the loop.
type Listener interface {
	// Started reports the outcome of a pending start: Forked, Executed, or an error. After an error
	// Start may be called again.
	Started(p Progress, err error)
	// ExecEnded reports, after Forked, that the exec of the command succeeded, or with an error why
	// it failed.
	ExecEnded(err error)
	// MainEnded reports how the main process has ended.
	MainEnded(ws syscall.WaitStatus)
	// MainLost reports that the main process has ended, and that nobody here knows how, because another
	// process of the run has waited for it.
	MainLost()
	// TakesBack tells, when the main process has ended, whether the one before becomes the main
	// process again. MainChanged reports that it has.
	TakesBack() bool
	MainChanged()
	// MainStopped reports that a signal has stopped the main process.
	MainStopped()
	// Changed reports that Frozen or Empty may have changed.
	Changed()
	// AwaitsOrphans reports that a holder was lost during the start and that processes which it
	// left were killed. If it returns true, the listener calls Abandon again until they have ended.
	AwaitsOrphans() bool
	// HolderLost reports that the holder was killed. MustKill follows it: nothing but a kill is
	// possible any more for the processes of that holder.
	HolderLost()
	MustKill()
}
