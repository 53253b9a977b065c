// Package afresh runs the tests of a package from a known state. Otherwise every program that a test
// starts would inherit what a shell, make or nohup gave the test binary: ignored and blocked signals,
// the umask, a low limit of descriptors, open descriptors, the standard input, variables.
package afresh

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Main resets what the test binary inherits, runs the tests and returns their exit status.
func Main(m *testing.M) int {
	if err := Reset(); err != nil {
		fmt.Fprintln(os.Stderr, "cannot reset what the tests inherit:", err)
		return 1
	}
	return m.Run()
}

// Reset is the first part of Main, for a TestMain that prepares something before the tests run. It
// may execute the test binary again, so call it before you make anything that must be removed. It
// returns an error if something cannot be reset.
func Reset() error {
	unix.Umask(0o022)
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); isCleared(name) {
			if err := os.Unsetenv(name); err != nil {
				return err
			}
		}
	}
	if err := resetDescriptors(); err != nil {
		return err
	}
	if err := setLimit(); err != nil {
		return err
	}
	return resetSignals()
}

// knobs are the variables that tests read. All other CGINIT_ variables are cginit's own.
var knobs = []string{
	"CGINIT_BIG", "CGINIT_DAEMONS", "CGINIT_FAULTS", "CGINIT_IDLE", "CGINIT_ROUNDS", "CGINIT_RUNS", "CGINIT_SHORT",
	"CGINIT_STORM", "CGINIT_TEST_SOCKET", "CGINIT_VM",
}

// cleared are the variables that change what cginit, a shell or make does. A name that ends in "_"
// stands for all that begin with it.
var cleared = []string{
	"CGINIT_", "NOTIFY_SOCKET", "LISTEN_", "WATCHDOG_", "XDG_", "INVOCATION_ID", "JOURNAL_STREAM",
	"TERM", "COLUMNS", "LINES", "LANG", "LC_", "ENV", "BASH_ENV", "CDPATH", "POSIXLY_CORRECT",
	"MAKEFLAGS", "MAKELEVEL", "MFLAGS",
}

// isCleared tells whether a variable is unset. It spares those by which the go command, which
// builds the programs, finds its cache and its settings.
func isCleared(name string) bool {
	return !slices.Contains(knobs, name) && name != "XDG_CACHE_HOME" && name != "XDG_CONFIG_HOME" &&
		slices.ContainsFunc(cleared, func(prefix string) bool {
			return name == prefix || strings.HasSuffix(prefix, "_") && strings.HasPrefix(name, prefix)
		})
}

// resetDescriptors makes /dev/null the standard input, and marks all descriptors from 3 on, such as
// those of make's job server, as close-on-exec.
func resetDescriptors() error {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	if err := unix.Dup3(int(null.Fd()), 0, 0); err != nil {
		return err
	}
	err = unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) { // before Linux 5.11
		return nil
	}
	return err
}

// descriptors is the soft limit of open descriptors for the programs that tests start.
const descriptors = 4096

// setLimit sets the limit of open descriptors. A user who may not raise it gets the hard limit.
func setLimit() error {
	var limit unix.Rlimit
	if err := unix.Prlimit(0, unix.RLIMIT_NOFILE, nil, &limit); err != nil {
		return err
	}
	wanted := unix.Rlimit{Cur: descriptors, Max: max(limit.Max, descriptors)}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &wanted); !errors.Is(err, unix.EPERM) {
		return err
	}
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: limit.Max, Max: limit.Max})
}

// resetSignals executes the test binary again if any signal is ignored or blocked. The Go runtime
// passes both on to the programs that it starts. It leaves SIGHUP, SIGINT and the signals that stop
// a process as they are. os/signal.Reset changes only signals that the program has asked to be
// notified of. Every thread starts with the signal mask of the first one.
func resetSignals() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ignored, err := signalSet("SigIgn")
	if err != nil {
		return err
	}
	blocked, err := signalSet("SigBlk")
	if err != nil || ignored|blocked == 0 {
		return err
	}
	var byDefault [8]uintptr // struct sigaction (five words on 32 bits): SIG_DFL, no flags, no restorer, no mask
	for sig := range uintptr(64) {
		if ignored>>sig&1 == 0 {
			continue
		}
		_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, sig+1, uintptr(unsafe.Pointer(&byDefault)), 0, 8, 0, 0)
		if errno != 0 {
			return fmt.Errorf("reset signal %d: %w", sig+1, errno)
		}
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &unix.Sigset_t{}, nil); err != nil {
		return fmt.Errorf("unblock signals: %w", err)
	}
	return unix.Exec("/proc/self/exe", os.Args, os.Environ())
}

// signalSet returns a set of signals from this thread's status file. Bit 0 is signal 1.
func signalSet(field string) (uint64, error) {
	status, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(status), "\n"+field+":")
	line, _, _ := strings.Cut(after, "\n")
	return strconv.ParseUint(strings.TrimSpace(line), 16, 64)
}
