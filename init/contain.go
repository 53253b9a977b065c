package supervisor

import "syscall"

// Level is what holds a job's processes together.
type Level string

// The levels, from the strongest.
const (
	LevelCgroup Level = "cgroup" // a cgroup of its own
	LevelPidns  Level = "pidns"  // one job, and the PID namespace is ours: kill(-1) by process 1
	LevelUID    Level = "uid"    // a holder as well, and the uid is the job's alone: kill(-1) by that uid
	LevelTree   Level = "tree"   // a holder is its subreaper, and kills until no child is left
)

// guarantee says what a level promises.
var guarantee = map[Level]string{
	LevelCgroup: "the kernel's: nothing that the job starts outlives it, unless it may write to the cgroup tree itself",
	LevelPidns:  "the kernel's: nothing in this PID namespace outlives the job; that includes what entered it from outside, such as docker exec",
	LevelUID:    "the kernel's: nothing that runs as the job's uid outlives it, and it cannot become another",
	LevelTree:   "best effort: its descendants are killed until none is left, but one that forks faster can delay that, and one that kills its holder can get away",
}

// meets tells whether level is at least what --require asks for. kill(-1) by process 1 is as
// complete as kill(-1) by a uid: both are one call that no fork slips past.
func (l Level) meets(required string) bool {
	switch required {
	case "cgroup":
		return l == LevelCgroup
	case "uid":
		return l == LevelCgroup || l == LevelPidns || l == LevelUID
	}
	return true
}

// containment holds one run's processes. None of its calls blocks, and none waits for what
// it asks for: the loop looks again.
type containment interface {
	// procs lists the run's processes, zombies left out. With an error it lists some of them.
	procs() ([]int, error)
	// signal sends a signal once to every process of the run, those included that are forked
	// meanwhile.
	signal(sig syscall.Signal) error
	freeze() error
	thaw() error
	frozen() bool
	// kill sends SIGKILL to every process of the run; again until empty.
	kill() error
	// empty says that the kernel knows no live process of the run any more.
	empty() bool
	// account reads what the run has used into its receipt.
	account(*Receipt)
	// remove gives back what the containment is made of.
	remove() error
}
