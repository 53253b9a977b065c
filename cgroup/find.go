package cgroup

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// The reasons why there is no cgroup to work in. The errors of [Find], [Private] and
// [Dir.MakeUnique] wrap them.
var (
	ErrNoMount    = errors.New("no cgroup v2 is mounted")
	ErrNotOurs    = errors.New("the cgroup v2 that is mounted here belongs to the host")
	ErrV1         = errors.New("this is a cgroup v1 container")
	ErrReadOnly   = errors.New("cgroup v2 is mounted read-only")
	ErrPermission = errors.New("no permission to create a cgroup")
	ErrTooOld     = errors.New("this kernel can neither kill nor freeze a cgroup")
)

// Find returns the cgroup that the calling process is in. It takes the path in the hierarchy from
// /proc/self/cgroup and the mount from /proc/self/mountinfo (pure v2, or the cgroup2 of a hybrid
// layout).
//
// In a container Find fails with [ErrNotOurs] if the tree is not the container's own: the real root
// is the host's, and if cgroup v1 is mounted too, the v2 cgroup is that of the container engine.
// Outside of containers the real root is accepted: [Dir.MakeUnique] uses names of its own there.
func Find() (Dir, error) {
	mounts, err := mountsOf("cgroup2")
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
			return "", fmt.Errorf("%w: %s is the root of the whole machine", ErrNotOurs, dir)
		}
		if v1, _ := mountsOf("cgroup"); len(v1) > 0 {
			return "", fmt.Errorf("%w: %w", ErrNotOurs, ErrV1)
		}
	}
	return dir, nil
}

// Mounted reports whether a cgroup v1 hierarchy is mounted, and returns the mount point of cgroup v2;
// empty if v2 is not mounted.
func Mounted() (v1 bool, v2 string) {
	mounts, _ := mountsOf("cgroup", "cgroup2")
	for _, m := range mounts {
		v1 = v1 || m.FSType == "cgroup"
		if m.FSType == "cgroup2" && v2 == "" {
			v2 = m.Mountpoint
		}
	}
	return v1, v2
}

// mountsOf returns the mounts of these types. A host can have thousands of others, and only the lines that
// may be meant are taken apart.
func mountsOf(types ...string) ([]*mountinfo.Info, error) {
	table, err := readFile("/proc/self/mountinfo", 8<<10)
	if err != nil {
		return nil, err
	}
	var lines bytes.Buffer
	for line := range bytes.Lines(table) {
		if bytes.Contains(line, []byte(" - cgroup")) {
			lines.Write(line)
		}
	}
	return mountinfo.GetMountsFromReader(&lines, mountinfo.FSTypeFilter(types...))
}

// selfPath returns the path of the calling process in the v2 hierarchy, which is the line "0::PATH" of
// /proc/self/cgroup.
func selfPath() (string, error) {
	text, err := readFile("/proc/self/cgroup", 1<<10)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if path, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); ok {
			return path, nil
		}
	}
	return "", ErrNoMount
}

// locate returns the directory of the cgroup self below one of the mounts. A mount shows the hierarchy
// from its root on. A root or a path that leads upwards ("/..") is outside of the cgroup namespace.
func locate(mounts []*mountinfo.Info, self string) (Dir, error) {
	if len(mounts) == 0 {
		return "", ErrNoMount
	}
	outside := func(path string) bool { return path == "/.." || strings.HasPrefix(path, "/../") }
	if outside(self) {
		return "", fmt.Errorf("%w: the cgroup of this process is %s", ErrNotOurs, self)
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
	return "", fmt.Errorf("%w: none of its mounts shows the cgroup of this process, %s", ErrNotOurs, self)
}

// InContainer reports whether the calling process is in a container, which has a UTS, IPC or cgroup
// namespace of its own. Files such as /.dockerenv prove nothing: the disk of a VM may be made from an
// image.
func InContainer() bool {
	return foreignNamespace("uts") || foreignNamespace("ipc") || foreignNamespace("cgroup")
}

// initialNamespaces maps each kind of namespace to the inode number of the first one, which the
// system starts with. The numbers are fixed since Linux 3.8 (include/uapi/linux/nsfs.h).
var initialNamespaces = map[string]uint64{"ipc": 0xEFFFFFFF, "uts": 0xEFFFFFFE, "cgroup": 0xEFFFFFFB}

// foreignNamespace reports whether the calling process is in another namespace of that kind than the
// one that the system started with.
func foreignNamespace(kind string) bool {
	var st unix.Stat_t
	err := unix.Stat("/proc/self/ns/"+kind, &st)
	return err == nil && st.Ino != initialNamespaces[kind]
}

// MakeUnique creates a child cgroup called name, or name.2, name.3 and so on if that exists, and
// returns it. Children of that name that were left behind are removed first. It fails with
// [ErrReadOnly] or [ErrPermission] if it cannot create one or write to its files, and with [ErrTooOld] if the kernel can
// neither freeze nor kill it.
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
	procs, err := child.open("cgroup.procs", unix.O_WRONLY) // below a seal a directory can be made, but no file written
	if err != nil {
		_ = child.Remove()
		if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
			err = fmt.Errorf("%w: %w", ErrPermission, err)
		}
		return "", err
	}
	unix.Close(procs)
	return child, nil
}

// staleAge is the age from which an empty cgroup counts as left behind by a process that was killed.
// A younger one may be about to be used.
const staleAge = time.Minute

// removeStale removes the children called name, name.2 and so on that are empty and older than
// staleAge.
func (d Dir) removeStale(name string) {
	for _, child := range d.children() {
		base := filepath.Base(string(child))
		if base != name && !strings.HasPrefix(base, name+".") {
			continue
		}
		info, err := os.Stat(string(child))
		e, errEvents := child.Events()
		if err == nil && errEvents == nil && !e.Populated && time.Since(info.ModTime()) > staleAge {
			_ = child.Remove() // another process may be removing it too
		}
	}
}
