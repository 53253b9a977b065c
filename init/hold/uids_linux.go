package hold

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/proc"
)

// Unused uids for user: auto come from the top of the mapped range: in a user namespace only some
// can be used.
const (
	autoUIDs  = 1000  // how many there are
	autoSpare = 2000  // how many are left free above them: nobody (65534) and what is like it
	killerAt  = 1     // the killer's uid (see package proctree) is so far above the last
	fullMap   = 65536 // counts as the number of uids where all can be used
)

// firstAutoUID returns the first of the uids for user: auto.
func firstAutoUID() uint32 { return topUID() - autoSpare - autoUIDs }

// killerUID returns a uid that no process has.
func killerUID() uint32 { return topUID() - autoSpare + killerAt }

// canHandOut returns an error if there is no uid for user: auto here, nor one for a killer.
func canHandOut() error {
	const least = autoSpare + autoUIDs + 1 // the first of them is not root's
	if top := topUID(); top < least {
		return fmt.Errorf("user: auto needs %d uids, and this user namespace has %d: map more, or name a user", least, top)
	}
	return nil
}

// HasAllUIDs tells whether all uids can be used here, as it is outside of a user namespace.
func HasAllUIDs() bool { return topUID() == fullMap }

// topUID returns the number of uids, from 0 on, that can be used here.
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
	last uint32
}

// Next returns the next uid that no process has and that isTaken does not refuse. If all are taken
// it returns one of them: it is not the job's alone then, and [Home.LevelFor] sees it.
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

// RunsAs tells whether the job of a spec, or a step of it, runs as a uid.
func RunsAs(spec *config.Spec, uid uint32) bool {
	if u := spec.User; u != nil && !u.Auto && u.UID == uid {
		return true
	}
	return slices.ContainsFunc(steps(spec), func(h config.Hook) bool { return h.User != nil && h.User.UID == uid })
}

func steps(spec *config.Spec) []config.Hook {
	return slices.Concat(spec.PreStart, spec.PostStart, spec.PreStop)
}
