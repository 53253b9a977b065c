package config

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/config/programs"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// Spec describes one job: a service, a one-shot job, or the command of the command line.
type Spec struct {
	Name string
	// Scaled is the name that a replica's service has in the file; empty if there is only one.
	Scaled string

	// Args is the command. Args[0] is looked up in the PATH of Env.
	Args []string
	// Env is the whole environment.
	Env []string
	// Dir is the working directory; empty: the supervisor's.
	Dir string
	Identity

	// StopSignal asks the job to stop; 0: the signal that asked the supervisor to stop. It and ReloadSignal are
	// programs.Auto until [Spec.ConsultTable] if the table of programs is to tell them.
	StopSignal syscall.Signal
	// StopWhy says why it is this signal, if the table of programs has chosen it.
	StopWhy string
	// Success are the ends that count as status 0. With SuccessAuto the table of programs knows them, and they count
	// only for a run that was asked to stop: the same status may be that of a failure.
	Success     []programs.Ending
	SuccessAuto bool
	// ReloadSignal makes the job read its own configuration again; 0: there is none.
	ReloadSignal syscall.Signal
	// ReloadWhy says why it is 0 although the file has one.
	ReloadWhy string
	// GracePeriod is the time from the stop signal to the kill.
	GracePeriod time.Duration
	KillMode    KillMode
	Leftovers   Leftovers
	// Timeout is the longest that a run may take; 0: no limit.
	Timeout time.Duration

	// Rewrite maps a signal that the supervisor receives to the one that it forwards; 0: none.
	Rewrite map[syscall.Signal]syscall.Signal
	// Resources are the limits; nil: none.
	Resources *specs.LinuxResources

	Lifecycle
	Output

	Labels map[string]string

	// SealAuto leaves it to cginit whether the job is sealed (see hold.SealAuto).
	SealAuto bool
	// Service jobs are meant to keep running, all others to end.
	Service bool
	// GraceWritten says that GracePeriod stands in the file, and is not the default.
	GraceWritten bool
	// ForwardOnly makes the supervisor forward every signal and take none for a request to stop. Its
	// starter must kill a job that ignores them. tini and similar inits work so.
	ForwardOnly bool
	// Group sends signals to the process group of the main process, as tini -g and dumb-init do.
	Group bool
	// NewSession makes the main process lead a session of its own, as under dumb-init.
	NewSession bool
}

// IsSuccess tells whether an end of the main process counts as status 0, which was asked to stop or not.
func (s *Spec) IsSuccess(ws syscall.WaitStatus, wasAsked bool) bool {
	return (wasAsked || !s.SuccessAuto) && slices.ContainsFunc(s.Success, func(e programs.Ending) bool { return e.Is(ws) })
}

// ConsultTable sets what is left to the table of programs: the signals that stop and reload the job, and the ends that
// count as success.
func (s *Spec) ConsultTable() {
	isAuto := s.StopSignal == programs.Auto
	if !isAuto && !s.SuccessAuto && s.ReloadSignal == 0 {
		return
	}
	p, name := programs.Find(s.Args)
	s.ReloadSignal, s.ReloadWhy = p.Reload(name, s.ReloadSignal)
	if isAuto {
		s.StopSignal, s.StopWhy = p.Signal(), p.Why(name)
	}
	if s.Success == nil && (isAuto || s.SuccessAuto) {
		s.Success, s.SuccessAuto = p.Endings(), true
	}
}

// User is the user that a job runs as.
type User struct {
	// Auto gives the job a uid, and a gid of the same number, that nothing else has. They are chosen
	// when the job first starts.
	Auto     bool
	UID, GID uint32
	Groups   []uint32
	Home     string
}

// KillMode says which processes of a job are asked to end when it is stopped. In every mode the
// processes that have not ended after the grace period are killed.
type KillMode string

// The kill modes, with systemd's names.
const (
	// Mixed asks the main process first. The others are asked when it has ended, or, if it ignores the signal, once
	// half of the grace period is over.
	Mixed KillMode = "mixed"
	// ControlGroup asks all processes in one instant, so that no fork is missed.
	ControlGroup KillMode = "control-group"
	// Process asks the main process alone. When it has ended, the leftovers are killed.
	Process KillMode = "process"
)

// Leftovers says what happens to the leftovers when the main process ends by itself.
type Leftovers string

// The values of Leftovers.
const (
	// LeftoversStop asks the leftovers, waits for the grace period, and kills them.
	LeftoversStop Leftovers = "stop"
	// LeftoversWait lets the job go on until the last leftover has ended.
	LeftoversWait Leftovers = "wait"
	// LeftoversKill kills the leftovers at once.
	LeftoversKill Leftovers = "kill"
)

// Set parses a kill mode. With String and Type it makes KillMode the value of a flag.
func (k *KillMode) Set(s string) error { return setWord(k, s, Mixed, ControlGroup, Process) }

// String returns the kill mode as a word.
func (k *KillMode) String() string { return string(*k) }

// Type returns the name of the value in a help text.
func (k *KillMode) Type() string { return "mode" }

// Set parses a value. With String and Type it makes Leftovers the value of a flag.
func (l *Leftovers) Set(s string) error {
	return setWord(l, s, LeftoversStop, LeftoversWait, LeftoversKill)
}

// String returns the value as a word.
func (l *Leftovers) String() string { return string(*l) }

// Type returns the name of the value in a help text.
func (l *Leftovers) Type() string { return "way" }

// setWord sets to to s if s is one of the known words.
func setWord[W ~string](to *W, s string, known ...W) error {
	if !slices.Contains(known, W(s)) {
		words := make([]string, len(known))
		for i, k := range known {
			words[i] = string(k)
		}
		return fmt.Errorf("it must be one of %s", strings.Join(words, ", "))
	}
	*to = W(s)
	return nil
}
