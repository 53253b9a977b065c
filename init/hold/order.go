package hold

import (
	"os"

	"github.com/cginit/cginit/init/config"
)

// Order says how to start the main process of a run.
type Order struct {
	Path string // the program; see child.LookPath
	Args []string
	Env  []string
	Dir  string // the working directory; empty: ours
	// Files become stdin, stdout and stderr. They are plain numbers, because os.File.Fd would
	// change the mode of descriptors that we share with others.
	Files [3]int
	// Inherited are our descriptors from 3 on that the command gets under the same numbers.
	Inherited []int
	// Identity is the user and the rights that the command runs with.
	Identity config.Identity
	// Ready is the pipe that the command reports its readiness on, as descriptor ReadyAs; nil:
	// none.
	Ready   *os.File
	ReadyAs int
	// Terminal is a descriptor, -1 for none. With NewSession that terminal becomes the controlling
	// terminal of the command's session. Otherwise the command becomes its foreground process
	// group.
	Terminal   int
	NewSession bool
	// SharesGroup leaves the command in our process group.
	SharesGroup bool
	// SharesSession leaves the command in our session, because our terminal is there.
	SharesSession bool
	// ListenPid sets LISTEN_PID to the pid of the command (sd_listen_fds(3)).
	ListenPid bool
}

// needsHelper tells whether something must be done between fork and exec that init/spawn does not do.
func (o *Order) needsHelper() bool {
	return o.Terminal >= 0 || o.ListenPid || o.Ready != nil || o.Identity.NeedsHelper()
}
