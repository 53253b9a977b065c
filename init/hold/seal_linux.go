package hold

import (
	"fmt"
	"os"
	"slices"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/seal"
	"golang.org/x/sys/unix"
)

// SealAuto seals the jobs for which that is left to us: those that have no-new-privileges already, and whose user
// can signal neither us nor another of the jobs. Below Linux 5.19 none is, because it could not move files from one
// directory to another.
func SealAuto(specs []*config.Spec) {
	already, _ := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	for _, s := range specs {
		if s.SealAuto {
			s.Seal = seal.MovesFiles() && (already == 1 || s.NoNewPrivileges) && signalsNobody(s, specs)
		}
	}
}

// signalsNobody tells whether the kernel lets a job signal none of the others and not us, because of its user.
func signalsNobody(s *config.Spec, specs []*config.Spec) bool {
	uid := uidOf(s)
	if uid == 0 || uid == os.Getuid() || slices.Contains(s.CapAdd, "ALL") || slices.Contains(s.CapAdd, "CAP_KILL") {
		return false
	}
	for _, other := range specs {
		if other != s && uid == uidOf(other) && uid != automatic {
			return false
		}
	}
	return true
}

// automatic is what uidOf returns for user: auto, a uid that is not known before.
const automatic = -1

// uidOf returns the uid that a job runs as.
func uidOf(s *config.Spec) int {
	switch {
	case s.User == nil:
		return os.Getuid()
	case s.User.Auto:
		return automatic
	}
	return int(s.User.UID)
}

// AllowSeal returns an error if a job or one of its steps is to be sealed and cannot be.
func AllowSeal(spec *config.Spec) error {
	isSealed := spec.Seal
	for _, step := range steps(spec) {
		isSealed = isSealed || step.Seal
	}
	if !isSealed {
		return nil
	}
	if _, err := seal.Version(); err != nil {
		return fmt.Errorf("it cannot be sealed: Landlock is not available: %w (it needs Linux 5.13, landlock among the lsm= of the kernel, "+
			"and a seccomp filter that lets it pass)", err)
	}
	return nil
}
