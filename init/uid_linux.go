package supervisor

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/cginit/cginit/init/config"
	"golang.org/x/sys/unix"
)

// Uids that nothing else has come from the upper end of those that there are: in a user
// namespace only some can be used.
const (
	autoUIDs  = 1000  // how many there are
	autoSpare = 2000  // how many are left free above them: nobody (65534) and what is like it
	killerAt  = 1     // the killer's uid (see package proctree) is so far above the last
	fullMap   = 65536 // where all uids can be used, as if there were so many
)

// firstAutoUID is the first of the uids for user: auto.
func firstAutoUID() uint32 { return topUID() - autoSpare - autoUIDs }

// killerUID is one that no process has.
func killerUID() uint32 { return topUID() - autoSpare + killerAt }

// canHandOut tells why there is no uid for user: auto here, nor one for a killer.
func canHandOut() error {
	const least = autoSpare + autoUIDs + 1 // the first of them is not root's
	if top := topUID(); top < least {
		return fmt.Errorf("user: auto needs %d uids, and this user namespace has %d: map more, or name a user", least, top)
	}
	return nil
}

// topUID is the number of uids, from 0 on, that can be used here.
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

// specOf is what a run of the job executes: its spec, with the uid in it that was chosen for it.
func (s *Supervisor) specOf(j *job) *config.Spec {
	if u := j.spec.User; u == nil || !u.Auto {
		return &j.spec
	}
	spec := j.spec
	spec.User = s.userOf(j, spec.User)
	return &spec
}

// userOf puts a uid in the place of auto: one for the job and its steps, for all of its runs.
func (s *Supervisor) userOf(j *job, u *config.User) *config.User {
	if u == nil || !u.Auto {
		return u
	}
	if j.uid == 0 {
		j.uid = s.freeUID()
	}
	return &config.User{UID: j.uid, GID: j.uid, Groups: u.Groups, Home: u.Home}
}

// freeUID goes round the uids for user: auto, past those that are in use.
func (s *Supervisor) freeUID() uint32 {
	first := firstAutoUID()
	for range autoUIDs {
		id := first + s.lastUID%autoUIDs
		s.lastUID++
		if !slices.ContainsFunc(s.jobs, func(j *job) bool { return j.uid == id }) && !uidInUse(id) {
			return id
		}
	}
	return first // all are taken; then it is not the job's alone, and levelOf sees it
}

// levelOf is what holds the job's next run: where it is held as a tree, and its uid is its own,
// that uid does it. kill(-1) reaches every process with it, so this is for process 1 of a PID
// namespace only, where all processes are known.
func (s *Supervisor) levelOf(j *job, best Level) Level {
	if best != LevelTree || !s.pid1 || !s.hasOwnUID(j) || !canSetUID() || canHandOut() != nil {
		return best
	}
	return LevelUID
}

// hasOwnUID tells whether a job's uid is neither ours, nor root's, nor another job's. A run that
// has ended and is only still shown needs its uid no more.
func (s *Supervisor) hasOwnUID(j *job) bool {
	u := j.spec.User
	if u == nil || mayChangeUID(&j.spec.Identity) {
		return false
	}
	uid := s.userOf(j, u).UID
	if uid == 0 || int(uid) == os.Getuid() || uidInUse(uid) {
		return false
	}
	return !slices.ContainsFunc(s.jobs, func(other *job) bool {
		return other != j && !other.over && (other.uid == uid || other.spec.User != nil && other.spec.User.UID == uid || stepHas(&other.spec, uid))
	})
}

// allowUser refuses user: auto where there is no uid to hand out.
func allowUser(spec *config.Spec) error {
	isAuto := spec.User != nil && spec.User.Auto ||
		slices.ContainsFunc(steps(spec), func(h config.Hook) bool { return h.User != nil && h.User.Auto })
	if !isAuto {
		return nil
	}
	return canHandOut()
}

func steps(spec *config.Spec) []config.Hook {
	return slices.Concat(spec.PreStart, spec.PostStart, spec.PreStop)
}

// stepHas tells whether a step of a job runs as that uid.
func stepHas(spec *config.Spec, uid uint32) bool {
	return slices.ContainsFunc(steps(spec), func(h config.Hook) bool { return h.User != nil && h.User.UID == uid })
}

// mayChangeUID tells whether a job is given what it would need to become another user.
func mayChangeUID(id *config.Identity) bool {
	gives := func(name string) bool { return name == "ALL" || name == "CAP_SETUID" }
	return slices.ContainsFunc(id.CapAdd, gives) || id.Capabilities != nil && slices.ContainsFunc(id.Capabilities.Permitted, gives)
}

// canSetUID tells whether we have CAP_SETUID.
func canSetUID() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var has [2]unix.CapUserData
	return unix.Capget(&header, &has[0]) == nil && has[0].Effective&(1<<unix.CAP_SETUID) != 0
}

// uidInUse tells whether a process has that uid, as far as /proc shows.
func uidInUse(uid uint32) bool {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return true
	}
	for _, e := range entries {
		if e.Name()[0] < '1' || e.Name()[0] > '9' {
			continue
		}
		var st unix.Stat_t
		if unix.Stat("/proc/"+e.Name(), &st) == nil && st.Uid == uid {
			return true
		}
	}
	return false
}
