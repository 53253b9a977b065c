package supervisor

import "github.com/cginit/cginit/init/control"

// lease is what a run that was started over the control socket depends on.
type lease struct {
	conn     *control.Conn
	call     *control.Call // to be answered when it ends; nil: it was answered
	files    []int         // what the caller has passed, until the run has them
	terminal bool
	detached bool
	report   bool
}

// connect gives a run what its caller has passed: three descriptors, or a terminal.
func (l *lease) connect(c *connection) {
	if len(l.files) == len(c.Files) {
		copy(c.Files[:], l.files)
	} else {
		c.Files = [3]int{l.files[0], l.files[0], l.files[0]}
	}
	if l.terminal {
		c.Terminal = l.files[0]
	}
}
