package control

import (
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// RunParams runs a command as a job of its own. The descriptors of its [Call] are its stdin,
// stdout and stderr, or one terminal that is all three.
type RunParams struct {
	Process   OCIProcess            `json:"process"`
	Resources *specs.LinuxResources `json:"resources,omitempty"`
	// AutoUser: it runs as a uid, and a gid of the same number, that nothing else has.
	AutoUser bool `json:"auto_user,omitempty"`

	Name        string `json:"name,omitempty"`       // empty: run-N
	Timeout     int64  `json:"timeout_ms,omitempty"` // milliseconds; 0: no limit
	GracePeriod *int64 `json:"stop_grace_period_ms,omitempty"`
	StopSignal  string `json:"stop_signal,omitempty"` // empty: TERM
	KillMode    string `json:"kill_mode,omitempty"`   // mixed, control-group, process; empty: mixed
	Leftovers   string `json:"leftovers,omitempty"`   // stop, wait, kill; empty: stop
	Detach      bool   `json:"detach,omitempty"`      // it does not end with the connection
	Report      bool   `json:"report,omitempty"`      // the last reply carries the receipt
}

// OCIProcess is OCI's process, of which user and cwd may be left out here.
type OCIProcess struct {
	specs.Process
	User *specs.User `json:"user,omitempty"` // nil: the supervisor's; it takes the place of Process.User
	Cwd  string      `json:"cwd,omitempty"`  // empty: /; it takes the place of Process.Cwd
}

// RunReply says that the run has started (State is Running or Starting) or has ended (State is
// Ended; ExitStatus is set).
type RunReply struct {
	State      State    `json:"state"`
	Job        string   `json:"job"`
	Run        int      `json:"run"`
	Pid        int      `json:"pid,omitempty"`
	ExitStatus *int     `json:"exit_status,omitempty"`
	Error      string   `json:"error,omitempty"` // why it could not be started
	Receipt    *Receipt `json:"receipt,omitempty"`
}

// check refuses what OCI has and we do not: a limit that is silently not there is worse than
// none. files is the number of descriptors that came with it.
func (p *RunParams) check(files int) error {
	if ok := files == 3 || p.Process.Terminal && files == 1 || !p.Process.Terminal && files == 0; !ok {
		return InvalidValue{"process.terminal", fmt.Sprintf("%d descriptors came; a run takes stdin, stdout and stderr, or one that is a terminal, or, without a terminal, none", files)}
	}
	if len(p.Process.Args) == 0 || p.Process.Args[0] == "" {
		return InvalidValue{"process.args", "it names no command"}
	}
	if p.AutoUser && p.Process.User != nil {
		return InvalidValue{"auto_user", "process.user names one; it is one or the other"}
	}
	for _, s := range slices.Concat(p.Process.Args, p.Process.Env) {
		if strings.ContainsRune(s, 0) {
			return InvalidValue{"process", "a NUL byte cannot be part of an argument or of the environment"}
		}
	}
	for name, given := range p.unsupported() {
		if given {
			return InvalidValue{name, "it has no meaning here; io.cginit.varlink lists what has"}
		}
	}
	if r := p.Resources; r != nil {
		if r.CPU != nil && r.CPU.Quota != nil && r.CPU.Period == nil {
			return InvalidValue{"resources.cpu.period", "a quota needs it; try 100000"}
		}
		for file := range r.Unified {
			if file == "" || strings.ContainsAny(file, "/\x00") {
				return InvalidValue{"resources.unified", "it takes names of files of the cgroup, such as memory.high"}
			}
		}
	}
	return nil
}

// unsupported tells of each parameter of OCI that we do not have whether it was given.
func (p *RunParams) unsupported() map[string]bool {
	o := &p.Process
	found := map[string]bool{
		"process.consoleSize":     o.ConsoleSize != nil, // the window of a terminal is set on it
		"process.commandLine":     o.CommandLine != "",
		"process.apparmorProfile": o.ApparmorProfile != "",
		"process.selinuxLabel":    o.SelinuxLabel != "",
		"process.scheduler":       o.Scheduler != nil,
		"process.ioPriority":      o.IOPriority != nil,
		"process.execCPUAffinity": o.ExecCPUAffinity != nil,
		"process.user.username":   o.User != nil && o.User.Username != "",
	}
	r := p.Resources
	if r == nil {
		return found
	}
	found["resources.devices"] = len(r.Devices) > 0
	found["resources.network"] = r.Network != nil
	if m := r.Memory; m != nil {
		found["resources.memory.kernel"] = m.Kernel != nil || m.KernelTCP != nil //nolint:staticcheck // it is refused, deprecated or not
		found["resources.memory.swappiness"] = m.Swappiness != nil
		found["resources.memory.disableOOMKiller"] = m.DisableOOMKiller != nil
		found["resources.memory.useHierarchy"] = m.UseHierarchy != nil
		found["resources.memory.checkBeforeUpdate"] = m.CheckBeforeUpdate != nil
	}
	if c := r.CPU; c != nil {
		found["resources.cpu.burst"] = c.Burst != nil
		found["resources.cpu.idle"] = c.Idle != nil
		found["resources.cpu.realtimeRuntime"] = c.RealtimeRuntime != nil || c.RealtimePeriod != nil
	}
	if b := r.BlockIO; b != nil {
		found["resources.blockIO.leafWeight"] = b.LeafWeight != nil
		found["resources.blockIO.weightDevice"] = len(b.WeightDevice) > 0
	}
	return found
}
