package config

import "github.com/opencontainers/runtime-spec/specs-go"

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

// NeedsHelper tells whether something of it must be done between fork and exec that Go cannot
// do there, so that the exec helper must.
func (i *Identity) NeedsHelper() bool {
	return i.Umask != nil || len(i.Rlimits) > 0 || len(i.CapAdd)+len(i.CapDrop) > 0 || i.Capabilities != nil || i.NoNewPrivileges || i.OOMScoreAdj != nil
}
