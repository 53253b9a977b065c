package supervisor

import (
	"fmt"
	"strings"

	"github.com/cginit/cginit/cgroup"
	"github.com/cginit/cginit/init/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// allow sees to it that the runs of a spec can have their uid and their limits. With
// --best-effort-limits those that cannot be enforced are said and taken out, and the others stay.
func (s *Supervisor) allow(spec *config.Spec) error {
	if err := allowUser(spec); err != nil {
		return err
	}
	err := s.home.allow(spec.Resources)
	if err == nil || !s.config.BestEffortLimits {
		return err
	}
	kept := &specs.LinuxResources{}
	for _, copyPart := range parts {
		var one specs.LinuxResources
		copyPart(&one, spec.Resources)
		if err := s.home.allow(&one); err != nil {
			names := strings.Join(cgroup.Controllers(&one), " and ")
			s.log.printf("%s: its %s limit is not enforced: %v", spec.Name, names, err)
			continue
		}
		copyPart(kept, spec.Resources)
	}
	spec.Resources = kept
	return nil
}

// parts are the limits, resource by resource.
var parts = []func(to, from *specs.LinuxResources){
	func(to, from *specs.LinuxResources) { to.Memory = from.Memory },
	func(to, from *specs.LinuxResources) { to.CPU = from.CPU },
	func(to, from *specs.LinuxResources) { to.Pids = from.Pids },
	func(to, from *specs.LinuxResources) { to.BlockIO = from.BlockIO },
	func(to, from *specs.LinuxResources) { to.HugepageLimits = from.HugepageLimits },
	func(to, from *specs.LinuxResources) { to.Rdma = from.Rdma },
	func(to, from *specs.LinuxResources) { to.Unified = from.Unified },
}

// suffices tells why a job would not be held as well as --require asks for. It is asked at the
// start, and before each run: whether a uid is the job's alone depends on who else has it.
func (s *Supervisor) suffices(level Level) error {
	switch {
	case level.meets(s.config.Require):
		return nil
	case s.config.Require == "uid" && s.pid1:
		return fmt.Errorf("--require uid cannot be met, this would be %s: %w, and it has no uid of its own; give it user: auto, or %s", level, s.home.why, howToGetCgroup())
	}
	return fmt.Errorf("--require %s cannot be met, the best here is %s: %w; %s", s.config.Require, level, s.home.why, howToGetCgroup())
}

// sufficesFor is suffices for a job's own run: its steps and probes are held with it, or as
// well as can be.
func (s *Supervisor) sufficesFor(r *run) error {
	if r.role != roleMain {
		return nil
	}
	return s.suffices(r.level)
}
