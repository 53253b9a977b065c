package cgroup

// Freeze asks the kernel to freeze the cgroup and all cgroups below it (since Linux 5.2). It does not
// wait until they are frozen: [Dir.Events] has the state, and a [Watcher] reports the change. A
// process in uninterruptible sleep delays the freeze without bound, so the caller's wait needs a limit.
func (d Dir) Freeze() error { return d.write("cgroup.freeze", "1") }

// Thaw lets the cgroup run again. It stays frozen while a cgroup above it is.
func (d Dir) Thaw() error { return d.write("cgroup.freeze", "0") }

// Freezing reports whether the cgroup itself was asked to freeze. From then on a process that is born
// in it does not run, even while the cgroup as a whole is not frozen yet.
func (d Dir) Freezing() bool {
	text, err := d.read("cgroup.freeze")
	return err == nil && len(text) > 0 && text[0] == '1'
}
