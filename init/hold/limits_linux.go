package hold

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cginit/cginit/cgroup"
	"github.com/cginit/cginit/init/priority"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// enterRetries bounds how often controllers are enabled again after a process has entered our
// cgroup (docker exec).
const enterRetries = 100

// Allow enables the controllers for these limits, and returns an error if runs cannot have them. A
// nil res has no limits.
func (h *Home) Allow(res *specs.LinuxResources) error {
	controllers := cgroup.Controllers(res)
	if err := h.Offers(res); err != nil || len(controllers) == 0 {
		return err
	}
	return h.enable(controllers)
}

// AllowSome is Allow for each resource by itself. It returns the limits that runs can have, and
// calls refused with the controllers of each other one and the reason.
func (h *Home) AllowSome(res *specs.LinuxResources, refused func(controllers string, err error)) *specs.LinuxResources {
	if h.Allow(res) == nil {
		return res
	}
	kept := &specs.LinuxResources{}
	for _, copyPart := range parts {
		var one specs.LinuxResources
		copyPart(&one, res)
		if err := h.Allow(&one); err != nil {
			refused(strings.Join(cgroup.Controllers(&one), " and "), err)
			continue
		}
		copyPart(kept, res)
	}
	return kept
}

// parts copy the limits of one resource each.
var parts = []func(to, from *specs.LinuxResources){
	func(to, from *specs.LinuxResources) { to.Memory = from.Memory },
	func(to, from *specs.LinuxResources) { to.CPU = from.CPU },
	func(to, from *specs.LinuxResources) { to.Pids = from.Pids },
	func(to, from *specs.LinuxResources) { to.BlockIO = from.BlockIO },
	func(to, from *specs.LinuxResources) { to.HugepageLimits = from.HugepageLimits },
	func(to, from *specs.LinuxResources) { to.Rdma = from.Rdma },
	func(to, from *specs.LinuxResources) { to.Unified = from.Unified },
}

// Offers returns an error that says why runs cannot have these limits here. It changes nothing.
func (h *Home) Offers(res *specs.LinuxResources) error {
	controllers := cgroup.Controllers(res)
	switch {
	case len(controllers) == 0:
		return nil
	case h.level != Cgroup:
		return fmt.Errorf("limits need a writable cgroup v2, and there is none: %w; %s", h.why, h.hint())
	}
	return h.own.Offers(controllers)
}

// enable makes controllers available to runs. A cgroup that passes controllers on must not hold
// processes itself, so we move to a leaf below our own cgroup, with every process that came with us
// or has entered since.
//
// Kernels that divide real-time time by cgroups (CONFIG_RT_GROUP_SCHED) refuse to move a thread of that class, so
// we and the guardian leave it meanwhile. Our leaf may have none of that time, and then we get what
// [priority.Claim] asks for next.
func (h *Home) enable(controllers []string) error {
	guardian := 0
	if h.guardian != nil {
		guardian = h.guardian.pid
	}
	priority.ReleaseAll()
	defer priority.ClaimAll()
	if guardian != 0 {
		priority.Release(guardian)
		defer priority.Claim(guardian)
	}
	if h.leaf == "" && !h.own.IsRoot() {
		leaf, err := h.own.MakeUnique(leafName)
		if err != nil {
			return err
		}
		h.leaf = leaf
	}
	for range enterRetries {
		if h.leaf != "" {
			if err := h.own.MoveAll(h.leaf); err != nil {
				return err
			}
		}
		added, err := h.own.Enable(controllers)
		if errors.Is(err, unix.EBUSY) {
			continue
		}
		if err == nil {
			h.enabled = append(h.enabled, added...)
			_, err = h.jobs.Enable(controllers)
			h.granted = append(h.granted, controllers...)
		}
		return err
	}
	return errors.New("cannot enable controllers: processes keep entering our cgroup")
}
