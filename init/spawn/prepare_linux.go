package spawn

import (
	"os"
	"slices"
	"syscall"
	"unsafe"

	"github.com/cginit/cginit/internal/birth"
	"github.com/cginit/cginit/internal/self"
	"golang.org/x/sys/unix"
)

// cString returns a string that the kernel can read. The text holds no NUL.
func cString(text string) *byte { return &append([]byte(text), 0)[0] }

// newChild prepares everything. It returns EINVAL if a string holds a NUL, and the error of a pipe that is needed
// where an emulator runs us.
func newChild(p *Program) (*child, error) {
	c := &child{
		born: p.Cgroup >= 0, join: p.Join, session: p.NewSession, group: p.NewGroup, score: []byte(p.OOMScoreAdj),
		files: p.Files, keep: p.Keep, deaf: p.Deaf, noFile: noFile(), report: new(report),
	}
	// A process that changes its user makes its memory undumpable, which would be ours as well.
	c.isEmulated = self.Emulator() != ""
	c.copies = !sharesMemory || p.Copies || p.User != nil || c.isEmulated
	c.clone = cloneArgs{
		flags: unix.CLONE_VFORK | unix.CLONE_PARENT_SETTID, exitSignal: uint64(unix.SIGCHLD),
		parentTID: uint64(uintptr(unsafe.Pointer(&c.pid))),
	}
	if !c.copies {
		c.clone.flags |= unix.CLONE_VM
	}
	if c.born {
		const intoCgroup = 0x200000000 // CLONE_INTO_CGROUP
		c.clone.flags |= intoCgroup
		c.clone.cgroup = uint64(p.Cgroup)
	}
	if u := p.User; u != nil {
		c.user, c.uid, c.gid, c.groups = true, uintptr(u.UID), uintptr(u.GID), u.Groups
	}
	if err := c.setStrings(p); err != nil {
		return nil, err
	}
	if c.isEmulated {
		if err := unix.Pipe2(c.executed[:], unix.O_CLOEXEC); err != nil {
			return nil, os.NewSyscallError("pipe2", err)
		}
	}
	c.arrange()
	return c, nil
}

// setStrings converts what the exec needs.
func (c *child) setStrings(p *Program) (err error) {
	if c.path, err = unix.BytePtrFromString(p.Path); err != nil {
		return err
	}
	if p.Dir != "" {
		if c.dir, err = unix.BytePtrFromString(p.Dir); err != nil {
			return err
		}
	}
	if c.argv, err = vector(p.Args); err != nil {
		return err
	}
	if p.Path != self.Exe() {
		if c.shell, err = vector(append([]string{"sh", p.Path}, p.Args[min(1, len(p.Args)):]...)); err != nil {
			return err
		}
	}
	c.env, err = vector(p.Env)
	return err
}

// vector returns a list that the kernel can read.
func vector(texts []string) (**byte, error) {
	all, err := syscall.SlicePtrFromStrings(texts)
	if err != nil {
		return nil, err
	}
	return &all[0], nil
}

// noFile returns the limit of open files that the process is to have; nil if it has it already. Package
// syscall raises ours to one less than the hard limit. Any other value was set since, and stays.
func noFile() *birth.Limit {
	var now unix.Rlimit
	err := unix.Getrlimit(unix.RLIMIT_NOFILE, &now)
	if err != nil || birth.NoFile.Soft >= now.Cur || now.Max != birth.NoFile.Hard || now.Cur+1 != now.Max {
		return nil
	}
	return &birth.NoFile
}

// arrange chooses the numbers that files have on their way to 0, 1 and 2, and the ranges to close. A file
// whose number is below 3, and not its own, could be replaced before its turn comes.
func (c *child) arrange() {
	needed := append([]int{c.join}, c.keep...)
	if c.isEmulated {
		needed = append(needed, c.executed[1])
	}
	needed = append(needed, c.files[:]...)
	c.via = c.files
	for i, fd := range c.files {
		if fd == i || fd > 2 {
			continue
		}
		for c.via[i] = 3; slices.Contains(needed, c.via[i]); c.via[i]++ {
		}
		needed = append(needed, c.via[i])
	}
	from := 3
	slices.Sort(needed)
	for _, fd := range slices.Compact(needed) {
		if fd > from {
			c.closed = append(c.closed, [2]uintptr{uintptr(from), uintptr(fd - 1)})
		}
		from = max(from, fd+1)
	}
	c.closed = append(c.closed, [2]uintptr{uintptr(from), uintptr(^uint32(0))})
}
