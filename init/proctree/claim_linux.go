package proctree

import (
	"os"

	"github.com/cginit/cginit/init/priority"
	"github.com/cginit/cginit/init/proc"
)

// claimForListening claims the CPU for all threads but that of watch. They have nothing to do but
// to serve the supervisor's requests, and any of them may be needed to pass one on.
func claimForListening() {
	priority.Claim(0)
	for tid := range proc.OwnThreads {
		if tid != os.Getpid() {
			priority.Claim(tid)
		}
	}
}
