package cgroup

// Freeze asks the kernel to freeze the cgroup and all below it (since Linux 5.2). It does not
// wait: frozen is what [Dir.Events] says, and the change is told to a [Watcher]. A process in
// uninterruptible sleep delays it without bound, so the wait needs a limit.
func (d Dir) Freeze() error { return d.write("cgroup.freeze", "1") }

// Thaw lets the cgroup run again; it stays frozen if one above it is.
func (d Dir) Thaw() error { return d.write("cgroup.freeze", "0") }

// Freezing tells whether the cgroup itself was asked to freeze. From then on what is born in it
// stands still, though it is not frozen until all that was in it is.
func (d Dir) Freezing() bool {
	text, err := d.read("cgroup.freeze")
	return err == nil && len(text) > 0 && text[0] == '1'
}
