package hold

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/proc"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// The uids for user: auto come from the top of the mapped range, because a user namespace may map
// only some.
const (
	autoUIDs  = 1000  // the number of uids for user: auto
	autoSpare = 2000  // the number of uids above them that stay free, such as nobody (65534)
	killerAt  = 1     // how far the killer's uid (see package proctree) is above the end of those for auto
	fullMap   = 65536 // the number of uids that counts as all
)

// firstAutoUID returns the first of the uids for user: auto.
func firstAutoUID() uint32 { return topUID() - autoSpare - autoUIDs }

// killerUID returns a uid that no process has, for the killer.
func killerUID() uint32 { return topUID() - autoSpare + killerAt }

// canHandOut returns an error if this user namespace maps too few uids for user: auto and a killer.
func canHandOut() error {
	const least = autoSpare + autoUIDs + 1 // the first of them is not root's
	if top := topUID(); top < least {
		return fmt.Errorf("user: auto needs %d uids, and this user namespace has %d: map more, or name a user", least, top)
	}
	return nil
}

// HasAllUIDs tells whether all uids can be used here, as outside of a user namespace.
func HasAllUIDs() bool { return topUID() == fullMap }

// topUID returns how many uids, from 0 on without a gap, can be used here, at most fullMap.
func topUID() uint32 {
	data, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return fullMap
	}
	top := uint32(0)
	for line := range strings.Lines(string(data)) {
		var inside, outside, length uint32
		if n, _ := fmt.Sscan(line, &inside, &outside, &length); n == 3 && inside <= top {
			top = max(top, min(inside+length, fullMap))
		}
	}
	return top
}

// UIDs hands out unused uids for user: auto.
type UIDs struct {
	last uint32 // the number of uids that were tried so far
}

// Next returns the next uid that no process has and that isTaken does not refuse. If there is none,
// it returns the first uid although it is taken; [Home.LevelFor] sees that it is not the job's
// alone then.
func (u *UIDs) Next(isTaken func(uid uint32) bool) uint32 {
	first := firstAutoUID()
	for range autoUIDs {
		id := first + u.last%autoUIDs
		u.last++
		if !isTaken(id) && !proc.HasUID(id) {
			return id
		}
	}
	return first
}

// AllowUser refuses user: auto where there is no uid to hand out.
func AllowUser(spec *config.Spec) error {
	isAuto := spec.User != nil && spec.User.Auto ||
		slices.ContainsFunc(steps(spec), func(h config.Hook) bool { return h.User != nil && h.User.Auto })
	if !isAuto {
		return nil
	}
	return canHandOut()
}

// RunsAs tells whether the job of a spec, or one of its steps, runs as this uid.
func RunsAs(spec *config.Spec, uid uint32) bool {
	if u := spec.User; u != nil && !u.Auto && u.UID == uid {
		return true
	}
	return slices.ContainsFunc(steps(spec), func(h config.Hook) bool { return h.User != nil && h.User.UID == uid })
}

// steps returns all steps of a spec.
func steps(spec *config.Spec) []config.Hook {
	return slices.Concat(spec.PreStart, spec.PostStart, spec.PreStop)
}

// AllowRlimits refuses the resource limit that is a job's mark here.
func (h *Home) AllowRlimits(spec *config.Spec) error {
	isLocks := func(l specs.POSIXRlimit) bool { return l.Type == "RLIMIT_LOCKS" }
	if h.weakest == Marked && h.level == Marked && slices.ContainsFunc(spec.Rlimits, isLocks) {
		return errors.New("ulimits: locks cannot be set here: cginit finds the job's processes by that limit (level marked)")
	}
	return nil
}
