package hold

import (
	"os"

	"github.com/cginit/cginit/init/config"
)

// Order says how the main process of a run is started.
type Order struct {
	Path string // the program; see child.LookPath
	Args []string
	Env  []string
	Dir  string // the working directory; empty: ours
	// Files become stdin, stdout and stderr. They are plain numbers, because os.File.Fd would change
	// the mode of what we share with others.
	Files [3]int
	// Inherited are descriptors of ours, from 3 on, that keep their numbers.
	Inherited []int
	// Identity is whom the command runs as, with what rights.
	Identity config.Identity
	// Ready is what the command writes its readiness to, as descriptor ReadyAs; nil: nothing.
	Ready   *os.File
	ReadyAs int
	// Terminal becomes the controlling terminal of the session that the command leads, with
	// NewSession, or the terminal in whose foreground the command is; -1: no terminal is given.
	Terminal   int
	NewSession bool
	// SharesGroup leaves the command in our process group.
	SharesGroup bool
	// SharesSession leaves the command in our session, where we have a terminal there.
	SharesSession bool
	// ListenPid has LISTEN_PID name the command (sd_listen_fds(3)).
	ListenPid bool
}

// needsHelper tells whether something must be done between fork and exec that Go cannot do there.
func (o *Order) needsHelper() bool {
	return o.Terminal >= 0 || o.ListenPid || o.Ready != nil || o.Identity.NeedsHelper()
}
