package cgroup

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// Why there is no cgroup to work in; [Find] and [Dir.Writable] wrap them.
var (
	ErrNoMount    = errors.New("no cgroup v2 is mounted")
	ErrNotOurs    = errors.New("the cgroup v2 that is mounted here belongs to the host")
	ErrV1         = errors.New("this is a cgroup v1 container")
	ErrReadOnly   = errors.New("cgroup v2 is mounted read-only")
	ErrPermission = errors.New("no permission to make a cgroup")
	ErrTooOld     = errors.New("this kernel can neither kill nor freeze a cgroup")
)

// Find returns the cgroup that we are in. Its place in the hierarchy comes from
// /proc/self/cgroup, that of the hierarchy from /proc/self/mountinfo (pure v2, or the cgroup2
// of a hybrid layout).
//
// Inside a container it refuses a tree that is not the container's: where cgroup v1 is
// mounted too, the container's v2 cgroup is that of the container engine, and the real root
// is the host's. Outside, the real root will do: what is made below it has a name of its own.
func Find() (Dir, error) {
	mounts, err := mountinfo.GetMounts(mountinfo.FSTypeFilter("cgroup2"))
	if err != nil {
		return "", fmt.Errorf("cannot read the mount table (is /proc mounted?): %w", err)
	}
	self, err := selfPath()
	if err != nil {
		return "", err
	}
	dir, err := locate(mounts, self)
	if err != nil {
		return "", err
	}
	if InContainer() {
		if !dir.has("cgroup.events") {
			return "", fmt.Errorf("%w: %s is the root of all", ErrNotOurs, dir)
		}
		if v1, _ := mountinfo.GetMounts(mountinfo.FSTypeFilter("cgroup")); len(v1) > 0 {
			return "", fmt.Errorf("%w: %w", ErrNotOurs, ErrV1)
		}
	}
	return dir, nil
}

// Mounted tells which hierarchies are mounted: whether one of v1 is, and where v2 is.
func Mounted() (v1 bool, v2 string) {
	mounts, _ := mountinfo.GetMounts(mountinfo.FSTypeFilter("cgroup", "cgroup2"))
	for _, m := range mounts {
		v1 = v1 || m.FSType == "cgroup"
		if m.FSType == "cgroup2" && v2 == "" {
			v2 = m.Mountpoint
		}
	}
	return v1, v2
}

// selfPath returns our path in the v2 hierarchy: the line "0::PATH" of /proc/self/cgroup.
func selfPath() (string, error) {
	f, err := os.Open("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if path, ok := strings.CutPrefix(lines.Text(), "0::"); ok {
			return path, nil
		}
	}
	return "", ErrNoMount
}

// locate finds the cgroup self below one of the mounts. A mount shows the hierarchy from its
// root on; a root or a path that leads upwards ("/..") lies outside our cgroup namespace.
func locate(mounts []*mountinfo.Info, self string) (Dir, error) {
	if len(mounts) == 0 {
		return "", ErrNoMount
	}
	outside := func(path string) bool { return path == "/.." || strings.HasPrefix(path, "/../") }
	if outside(self) {
		return "", fmt.Errorf("%w: our cgroup is %s", ErrNotOurs, self)
	}
	for _, m := range mounts {
		root := strings.TrimSuffix(m.Root, "/")
		if outside(root) {
			continue
		}
		if rest, ok := strings.CutPrefix(self, root); ok && (rest == "" || rest[0] == '/') {
			return Dir(filepath.Join(m.Mountpoint, rest)), nil
		}
	}
	return "", fmt.Errorf("%w: none of its mounts shows our cgroup %s", ErrNotOurs, self)
}

// InContainer tells whether we are in a container: engines give every one namespaces of its
// own. Files such as /.dockerenv prove nothing: a VM's disk may have been made from an image.
func InContainer() bool {
	return foreignNamespace("uts") || foreignNamespace("ipc") || foreignNamespace("cgroup")
}

// initial is the inode number of each namespace that the system starts with: fixed since
// Linux 3.8, written down in include/uapi/linux/nsfs.h.
var initial = map[string]uint64{"ipc": 0xEFFFFFFF, "uts": 0xEFFFFFFE, "cgroup": 0xEFFFFFFB}

// foreignNamespace tells whether our namespace of that kind is another than the one that the
// system started with.
func foreignNamespace(kind string) bool {
	var st unix.Stat_t
	err := unix.Stat("/proc/self/ns/"+kind, &st)
	return err == nil && st.Ino != initial[kind]
}

// MakeUnique makes a child cgroup called name, or name.2, name.3 ... where that exists, and
// checks that it can be frozen or killed. The errors are this package's: [ErrReadOnly],
// [ErrPermission], [ErrTooOld].
func (d Dir) MakeUnique(name string) (Dir, error) {
	child, err := d.Make(name)
	if errors.Is(err, unix.EEXIST) {
		d.removeStale(name)
		child, err = d.Make(name)
	}
	for n := 2; errors.Is(err, unix.EEXIST); n++ {
		child, err = d.Make(fmt.Sprintf("%s.%d", name, n))
	}
	switch {
	case errors.Is(err, unix.EROFS):
		return "", fmt.Errorf("%w: %s", ErrReadOnly, d)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return "", fmt.Errorf("%w: %w", ErrPermission, err)
	case err != nil:
		return "", err
	}
	if !child.has("cgroup.kill") && !child.has("cgroup.freeze") {
		_ = child.Remove()
		return "", ErrTooOld
	}
	return child, nil
}

// staleAge is how old an empty cgroup must be before it is taken for a leftover of somebody
// who was killed, and not for one that is about to be used.
const staleAge = time.Minute

// removeStale removes what was made under that name and is empty.
func (d Dir) removeStale(name string) {
	for _, child := range d.children() {
		base := filepath.Base(string(child))
		if base != name && !strings.HasPrefix(base, name+".") {
			continue
		}
		info, err := os.Stat(string(child))
		e, errEvents := child.Events()
		if err == nil && errEvents == nil && !e.Populated && time.Since(info.ModTime()) > staleAge {
			_ = child.Remove() // somebody else may be at it too
		}
	}
}
