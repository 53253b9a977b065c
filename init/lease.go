package supervisor

import "github.com/cginit/cginit/init/control"

// lease ties a run that was started over the control socket to the client that started it.
type lease struct {
	conn     *control.Conn
	call     *control.Call // the Run call, answered when the run ends; nil: it was answered
	files    []int         // the descriptors that the client has passed, until the run has them
	terminal bool          // the first of them is a terminal
	detached bool          // the run goes on when the connection ends
	report   bool          // the client wants the receipt
}

// connect gives a run the descriptors that its client has passed: stdin, stdout and stderr, or one
// terminal for all three.
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
