package config

import (
	"reflect"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Identity is the user that a job runs as, and the rights and limits of its processes. A field that is
// nil or zero leaves what the supervisor has.
type Identity struct {
	User    *User
	Umask   *uint32
	Rlimits []specs.POSIXRlimit
	// CapAdd and CapDrop change the capabilities of the supervisor: names such as CAP_CHOWN, or ALL.
	CapAdd, CapDrop []string
	// Capabilities are all sets, in place of CapAdd and CapDrop; nil: these two decide.
	Capabilities    *specs.LinuxCapabilities
	NoNewPrivileges bool
	OOMScoreAdj     *int
	// Seal keeps the job from signalling and tracing others, from the cgroup tree and from mounts (init/seal).
	Seal bool
}

// NeedsHelper reports whether the exec helper must set up the process before it executes the
// command. The fork itself can change the user and the groups; everything else in Identity needs the
// helper, fields that are added later included.
func (i *Identity) NeedsHelper() bool {
	rest := *i
	rest.User = nil
	for _, f := range reflect.ValueOf(&rest).Elem().Fields() {
		if f.Kind() == reflect.Slice && f.Len() == 0 { // empty and nil say the same
			continue
		}
		if !f.IsZero() {
			return true
		}
	}
	return false
}
