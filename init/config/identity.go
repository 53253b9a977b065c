package config

import (
	"reflect"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Identity is whom a job runs as, with what rights. What is nil or zero is left as ours is.
type Identity struct {
	User            *User
	Umask           *uint32
	Rlimits         []specs.POSIXRlimit
	CapAdd, CapDrop []string                 // CAP_X, or ALL; from what we have
	Capabilities    *specs.LinuxCapabilities // all sets, instead of CapAdd and CapDrop; nil: not said
	NoNewPrivileges bool
	OOMScoreAdj     *int
}

// NeedsHelper reports whether the exec helper must set up the process before it executes the
// command. Go's fork can change the user and the groups; everything else in Identity needs the
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
