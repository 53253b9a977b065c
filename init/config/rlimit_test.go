package config

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRlimitNumbers compares every number with that of package unix.
func TestRlimitNumbers(t *testing.T) {
	for name, want := range map[string]int{
		"RLIMIT_CPU": unix.RLIMIT_CPU, "RLIMIT_FSIZE": unix.RLIMIT_FSIZE, "RLIMIT_DATA": unix.RLIMIT_DATA,
		"RLIMIT_STACK": unix.RLIMIT_STACK, "RLIMIT_CORE": unix.RLIMIT_CORE, "RLIMIT_RSS": unix.RLIMIT_RSS,
		"RLIMIT_NPROC": unix.RLIMIT_NPROC, "RLIMIT_NOFILE": unix.RLIMIT_NOFILE, "RLIMIT_MEMLOCK": unix.RLIMIT_MEMLOCK,
		"RLIMIT_AS": unix.RLIMIT_AS, "RLIMIT_LOCKS": unix.RLIMIT_LOCKS, "RLIMIT_SIGPENDING": unix.RLIMIT_SIGPENDING,
		"RLIMIT_MSGQUEUE": unix.RLIMIT_MSGQUEUE, "RLIMIT_NICE": unix.RLIMIT_NICE, "RLIMIT_RTPRIO": unix.RLIMIT_RTPRIO,
		"RLIMIT_RTTIME": unix.RLIMIT_RTTIME,
	} {
		if got, ok := RlimitNumber(name); got != want || !ok {
			t.Errorf("%s is %d, %t, want %d", name, got, ok, want)
		}
	}
	for _, name := range []string{"RLIMIT_SWAP", "RLIMIT_", "", "nofile"} {
		if got, ok := RlimitNumber(name); ok {
			t.Errorf("%q is taken for limit %d", name, got)
		}
	}
}

// TestUlimitNames checks that a key of ulimits becomes a name that RlimitNumber knows.
func TestUlimitNames(t *testing.T) {
	for _, name := range ulimitNames() {
		if _, ok := RlimitNumber("RLIMIT_" + strings.ToUpper(name)); !ok {
			t.Errorf("%s has no number", name)
		}
	}
	if names := ulimitNames(); len(names) != len(Rlimits)-1 || slices.Contains(names, "as") {
		t.Errorf("the names are %q", names)
	}
}

// TestKnownCapabilities checks both ends of the list: the numbers of the kernel are without gaps.
func TestKnownCapabilities(t *testing.T) {
	known := knownCapabilities()
	if len(known) != 41 || known[0] != "CHOWN" || known[40] != "CHECKPOINT_RESTORE" {
		t.Errorf("%d capabilities: %q", len(known), known)
	}
}
