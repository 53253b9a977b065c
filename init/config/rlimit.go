package config

import (
	"slices"
	"strings"
)

// Rlimits lists the resource limits of setrlimit(2), spelled as in Compose's ulimits. The index of a
// name is the number that the kernel has for it on every architecture except MIPS and SPARC.
var Rlimits = []string{
	"cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile", "memlock", "as",
	"locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime",
}

// RlimitNumber returns the kernel's number for a resource limit in the OCI's spelling, such as
// RLIMIT_NOFILE, and false if there is no such limit.
func RlimitNumber(name string) (int, bool) {
	name = strings.TrimPrefix(name, "RLIMIT_")
	n := slices.IndexFunc(Rlimits, func(known string) bool { return strings.ToUpper(known) == name })
	return n, n >= 0
}
