package config

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Spec is one job as it was asked for: a service, a one-shot job, or the command of the
// command line.
type Spec struct {
	Name    string
	Scaled  string // of a replica: the name of the service in the file; empty: it is not one of several
	Service bool   // it is meant to keep running; false: to end

	Args     []string // the command; Args[0] is looked up in the PATH of Env
	Env      []string
	Dir      string // working directory; empty: ours
	Identity        // whom it runs as, with what rights

	StopSignal  syscall.Signal // 0: the signal that asked us to stop, as it came
	GracePeriod time.Duration  // from the ask to the kill
	KillMode    KillMode
	Leftovers   Leftovers
	Timeout     time.Duration // the longest that a run may take; 0: no limit

	Rewrite   map[syscall.Signal]syscall.Signal // received -> forwarded; 0: dropped
	Resources *specs.LinuxResources             // limits; nil: none

	Lifecycle // when it starts, is ready, is started again
	Output    // where what it writes goes

	Labels map[string]string

	// ForwardOnly: no signal is a request to stop, each is only passed on, and whoever
	// started us must kill what does not heed it. The habit of tini and its like.
	ForwardOnly bool
	// Group: signals go to the main process's group, as tini -g and dumb-init send them.
	Group bool
	// NewSession: the main process leads a session of its own, as under dumb-init.
	NewSession bool
}

// User is whom a job runs as.
type User struct {
	Auto     bool // the job has a uid and a gid of its own, chosen when it first starts
	UID, GID uint32
	Groups   []uint32
	Home     string
}

// KillMode says which processes of a job are asked when it is stopped. Whatever it says,
// what does not leave in the grace period is killed.
type KillMode string

// The kill modes; the names are systemd's.
const (
	// Mixed asks the main process; when it has gone, the others are asked.
	Mixed KillMode = "mixed"
	// ControlGroup asks all at once, in one instant that no fork slips past.
	ControlGroup KillMode = "control-group"
	// Process asks the main process alone; when it has gone, the others are killed.
	Process KillMode = "process"
)

// Leftovers says what becomes of the others when the main process ends by itself.
type Leftovers string

// The ways with leftovers.
const (
	LeftoversStop Leftovers = "stop" // ask them, wait the grace period, kill
	LeftoversWait Leftovers = "wait" // the job goes on until the last has left
	LeftoversKill Leftovers = "kill" // kill them at once
)

// Set, String and Type make the two kinds flags that refuse what they do not know.

// Set parses a kill mode.
func (k *KillMode) Set(s string) error { return setWord(k, s, Mixed, ControlGroup, Process) }

// String returns the word.
func (k *KillMode) String() string { return string(*k) }

// Type names the value in a usage text.
func (k *KillMode) Type() string { return "mode" }

// Set parses a way with leftovers.
func (l *Leftovers) Set(s string) error {
	return setWord(l, s, LeftoversStop, LeftoversWait, LeftoversKill)
}

// String returns the word.
func (l *Leftovers) String() string { return string(*l) }

// Type names the value in a usage text.
func (l *Leftovers) Type() string { return "way" }

func setWord[W ~string](to *W, s string, known ...W) error {
	if !slices.Contains(known, W(s)) {
		words := make([]string, len(known))
		for i, k := range known {
			words[i] = string(k)
		}
		return fmt.Errorf("it is one of %s", strings.Join(words, ", "))
	}
	*to = W(s)
	return nil
}
