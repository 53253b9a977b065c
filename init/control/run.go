package control

import (
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// RunParams are the parameters of Run, which runs a command as a job of its own. The descriptors of
// the [Call] are its stdin, stdout and stderr, or one terminal that is all three.
type RunParams struct {
	Process   OCIProcess            `json:"process"`
	Resources *specs.LinuxResources `json:"resources,omitempty"`
	// AutoUser runs the command as a uid that no other process has, and a gid of the same number.
	AutoUser bool `json:"auto_user,omitempty"`
	// Seal keeps the command from signalling and tracing others, from the cgroup tree and from mounts (Landlock).
	Seal bool `json:"seal,omitempty"`

	// Name is the name of the job. If it is empty, it is run-N.
	Name string `json:"name,omitempty"`
	// Timeout is how long the run may take, in milliseconds. 0 is without a limit.
	Timeout int64 `json:"timeout_ms,omitempty"`
	// GracePeriod is the time from the stop signal to the kill, in milliseconds.
	GracePeriod *int64 `json:"stop_grace_period_ms,omitempty"`
	// StopSignal is TERM if it is empty.
	StopSignal string `json:"stop_signal,omitempty"`
	// KillMode is mixed, control-group or process. If it is empty, it is mixed.
	KillMode string `json:"kill_mode,omitempty"`
	// Leftovers is stop, wait or kill. If it is empty, it is stop.
	Leftovers string `json:"leftovers,omitempty"`
	// Detach keeps the run alive when the connection ends.
	Detach bool `json:"detach,omitempty"`
	// Report asks for the receipt in the last reply.
	Report bool `json:"report,omitempty"`
}

// OCIProcess is the process of OCI's config.json. Unlike there, user and cwd may be left out.
type OCIProcess struct {
	specs.Process
	// User replaces Process.User. If it is nil, the command runs as the supervisor's user.
	User *specs.User `json:"user,omitempty"`
	// Cwd replaces Process.Cwd. If it is empty, it is /.
	Cwd string `json:"cwd,omitempty"`
}

// RunReply says that the run has started (State is Running or Starting) or that it has ended (State
// is Ended, and ExitStatus is set).
type RunReply struct {
	State      State  `json:"state"`
	Job        string `json:"job"`
	Run        int    `json:"run"`
	Pid        int    `json:"pid,omitempty"`
	ExitStatus *int   `json:"exit_status,omitempty"`
	// Error says why the command could not be started.
	Error   string   `json:"error,omitempty"`
	Receipt *Receipt `json:"receipt,omitempty"`
}

// check returns an error for parameters that cannot be carried out. It refuses everything that OCI
// has and cginit does not: to ignore a limit would be worse than to have none. files is the number
// of descriptors that came with the call.
func (p *RunParams) check(files int) error {
	if ok := files == 3 || p.Process.Terminal && files == 1 || !p.Process.Terminal && files == 0; !ok {
		return InvalidValue{"process.terminal", fmt.Sprintf("%d descriptors came; a run takes three (stdin, stdout "+
			"and stderr), or one if that is a terminal, or none if there is no terminal", files)}
	}
	if len(p.Process.Args) == 0 || p.Process.Args[0] == "" {
		return InvalidValue{"process.args", "it names no command"}
	}
	if p.AutoUser && p.Process.User != nil {
		return InvalidValue{"auto_user", "process.user names a user already; leave out one of them"}
	}
	for _, s := range slices.Concat(p.Process.Args, p.Process.Env) {
		if strings.ContainsRune(s, 0) {
			return InvalidValue{"process", "a NUL byte cannot be part of an argument or of the environment"}
		}
	}
	for name, given := range p.unsupported() {
		if given {
			return InvalidValue{name, "cginit does not have it; io.cginit.varlink lists what it has"}
		}
	}
	if r := p.Resources; r != nil {
		if r.CPU != nil && r.CPU.Quota != nil && r.CPU.Period == nil {
			return InvalidValue{"resources.cpu.period", "a quota needs a period; try 100000"}
		}
		for file := range r.Unified {
			if file == "" || strings.ContainsAny(file, "/\x00") {
				return InvalidValue{"resources.unified", "it takes names of files of the cgroup, such as memory.high"}
			}
		}
	}
	return nil
}

// unsupported returns for each parameter of OCI that cginit does not have whether it was given.
func (p *RunParams) unsupported() map[string]bool {
	o := &p.Process
	found := map[string]bool{
		"process.consoleSize":     o.ConsoleSize != nil, // the client sets the size of its terminal itself
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
		//nolint:staticcheck // deprecated parameters are refused as well
		found["resources.memory.kernel"] = m.Kernel != nil || m.KernelTCP != nil
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
