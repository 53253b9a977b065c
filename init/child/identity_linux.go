package child

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/seal"
	"github.com/cginit/cginit/internal/ids"
	"github.com/moby/sys/capability"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// assume gives the calling process the identity and the rights of a job. Capabilities belong to the
// thread, so the calling thread must execute the command.
func assume(id *config.Identity) error {
	if id.OOMScoreAdj != nil {
		if err := os.WriteFile("/proc/self/oom_score_adj", []byte(strconv.Itoa(*id.OOMScoreAdj)), 0); err != nil {
			return fmt.Errorf("cannot set oom_score_adj to %d (less than ours needs CAP_SYS_RESOURCE): %w", *id.OOMScoreAdj, err)
		}
	}
	if id.Seal { // while we have our capabilities, and may open as many files as we like
		// Where no file can be made, the NOTIFY_SOCKET of a job is an abstract socket of ours.
		if err := seal.Apply(!strings.HasPrefix(os.Getenv("NOTIFY_SOCKET"), "@")); err != nil {
			return fmt.Errorf("cannot seal it (Landlock): %w", err)
		}
	}
	if err := setRlimits(id); err != nil {
		return err
	}
	if id.Umask != nil {
		unix.Umask(int(*id.Umask))
	}
	caps, err := newCapabilities(id)
	if err != nil {
		return err
	}
	if err := become(id.User, caps != nil); err != nil {
		return err
	}
	if caps != nil {
		if err := caps.Apply(capability.CAPS | capability.AMBS); err != nil {
			return fmt.Errorf("cannot set the capabilities: %w", err)
		}
	}
	if id.NoNewPrivileges {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("cannot set no-new-privileges: %w", err)
		}
	}
	return nil
}

// become changes the user and the groups of this thread. With keepCaps the permitted capabilities survive that, so
// that the caller can set them afterwards. A nil u changes nothing.
func become(u *config.User, keepCaps bool) error {
	if u == nil {
		return nil
	}
	if keepCaps {
		if err := unix.Prctl(unix.PR_SET_KEEPCAPS, 1, 0, 0, 0); err != nil {
			return err
		}
	}
	// Package syscall changes all threads, and waits for each of them. Only this one executes the command, and Linux
	// 6.12 to 6.14 keep a sealed thread from signalling the others.
	_, _, errno := syscall.RawSyscall(ids.SetGroups, uintptr(len(u.Groups)), uintptr(unsafe.Pointer(unsafe.SliceData(u.Groups))), 0)
	if errno == 0 {
		_, _, errno = syscall.RawSyscall(ids.SetGID, uintptr(u.GID), 0, 0)
	}
	if errno == 0 {
		_, _, errno = syscall.RawSyscall(ids.SetUID, uintptr(u.UID), 0, 0)
	}
	if errno != 0 {
		return fmt.Errorf("cannot become uid %d (cginit needs CAP_SETUID and CAP_SETGID for that): %w", u.UID, errno)
	}
	return nil
}

// setRlimits sets the resource limits of the job.
func setRlimits(id *config.Identity) error {
	for _, l := range id.Rlimits {
		n, ok := config.RlimitNumber(l.Type)
		if !ok {
			return fmt.Errorf("%s is not a resource limit of this kernel", l.Type)
		}
		if err := syscall.Setrlimit(n, &syscall.Rlimit{Cur: l.Soft, Max: l.Hard}); err != nil {
			return fmt.Errorf("cannot set %s to %d:%d (more than ours needs CAP_SYS_RESOURCE): %w", l.Type, l.Soft, l.Hard, err)
		}
	}
	return nil
}

// newCapabilities returns the capabilities that a job gets, with the rules of container engines:
// CapDrop removes from ours, CapAdd adds again, and ALL stands for all. It returns nil if the job
// says nothing about capabilities. It limits the bounding set of the process.
//
// A job that is not root also gets the added ones as ambient capabilities (since Linux 4.3),
// because the exec would drop them otherwise.
func newCapabilities(id *config.Identity) (capability.Capabilities, error) {
	if len(id.CapAdd)+len(id.CapDrop) == 0 && id.Capabilities == nil {
		return nil, nil
	}
	caps, err := capability.NewPid2(0)
	if err == nil {
		err = caps.Load()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read our capabilities: %w", err)
	}
	if id.Capabilities != nil {
		return caps, setCapabilities(caps, id.Capabilities)
	}
	add, err := parseCaps(id.CapAdd)
	if err != nil {
		return nil, err
	}
	drop, err := parseCaps(id.CapDrop)
	if err != nil {
		return nil, err
	}
	keep, ambient := keptCaps(caps, add, drop), []capability.Cap(nil)
	for _, c := range add {
		if !caps.Get(capability.PERMITTED, c) && !slices.Contains(id.CapAdd, "ALL") {
			return nil, fmt.Errorf("cannot give CAP_%s: we do not have it ourselves", strings.ToUpper(c.String()))
		}
		if slices.Contains(keep, c) && id.User != nil && id.User.UID != 0 {
			ambient = append(ambient, c)
		}
	}
	// The bounding set comes first: it needs CAP_SETPCAP, which the job may not keep.
	caps.Clear(capability.BOUNDING)
	caps.Set(capability.BOUNDING, keep...)
	if err := caps.Apply(capability.BOUNDS); err != nil {
		return nil, fmt.Errorf("cannot drop capabilities (that needs CAP_SETPCAP): %w", err)
	}
	if id.User != nil && id.User.UID != 0 {
		keep = ambient
	}
	caps.Clear(capability.CAPS | capability.AMBIENT)
	caps.Set(capability.EFFECTIVE|capability.PERMITTED, keep...)
	caps.Set(capability.INHERITABLE|capability.AMBIENT, ambient...)
	return caps, nil
}

// setCapabilities sets each of the capability sets that OCI names.
func setCapabilities(caps capability.Capabilities, sets *specs.LinuxCapabilities) error {
	caps.Clear(capability.CAPS | capability.BOUNDS | capability.AMBS)
	for which, names := range map[capability.CapType][]string{
		capability.BOUNDING: sets.Bounding, capability.EFFECTIVE: sets.Effective, capability.PERMITTED: sets.Permitted,
		capability.INHERITABLE: sets.Inheritable, capability.AMBIENT: sets.Ambient,
	} {
		list, err := parseCaps(names)
		if err != nil {
			return err
		}
		caps.Set(which, list...)
	}
	if err := caps.Apply(capability.BOUNDS); err != nil {
		return fmt.Errorf("cannot drop capabilities (that needs CAP_SETPCAP): %w", err)
	}
	return nil
}

// keptCaps returns the permitted capabilities that are not dropped, or that are added again.
func keptCaps(caps capability.Capabilities, add, drop []capability.Cap) (keep []capability.Cap) {
	for _, c := range capability.ListKnown() {
		has := caps.Get(capability.PERMITTED, c) && !slices.Contains(drop, c)
		if has || slices.Contains(add, c) && caps.Get(capability.PERMITTED, c) {
			keep = append(keep, c)
		}
	}
	return keep
}

// parseCaps returns the capabilities with these names, with or without CAP_; ALL stands for all.
func parseCaps(names []string) (caps []capability.Cap, err error) {
	for _, name := range names {
		name = strings.TrimPrefix(strings.ToUpper(name), "CAP_")
		if name == "ALL" {
			return capability.ListKnown(), nil
		}
		at := slices.IndexFunc(capability.ListKnown(), func(c capability.Cap) bool { return strings.EqualFold(c.String(), name) })
		if at < 0 {
			return nil, fmt.Errorf("CAP_%s is not a capability", name)
		}
		caps = append(caps, capability.ListKnown()[at])
	}
	return caps, nil
}
