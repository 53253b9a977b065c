package supervisor

import (
	"os"

	"github.com/cginit/cginit/init/hold"
	"golang.org/x/sys/unix"
)

// connection is what the main process of a run finds open, as an order for its containment.
type connection struct {
	hold.Order
	theirs []*os.File // closed here once the main process has them
}

func (c *connection) close() {
	for _, f := range c.theirs {
		f.Close()
	}
}

// lendOurs lets a user open our stdin, stdout and stderr once more, as far as they are those of the
// run: /dev/stdout is a link to them, and opening a pipe or a terminal takes the rights of its owner.
// Container runtimes give them to the user of the container for that. A terminal outside of a container
// is a person's and stays so. The pipes of several jobs, which
// have several users, are opened to all instead: only who has such a pipe can reach it.
func (c *connection) lendOurs(uid int, isAlone bool) {
	for fd, has := range c.Files {
		var is unix.Stat_t
		if has != fd || unix.Fstat(fd, &is) != nil {
			continue
		}
		switch isPipe, isTTY := isAnonymous(fd, &is), isTerminal(fd); {
		case isAlone && (isPipe || isTTY && isProcess1()):
			_ = unix.Fchown(fd, uid, -1) // without the right to, it stays as it is
		case isPipe:
			_ = unix.Fchmod(fd, is.Mode&0o777|0o066)
		}
	}
}

// isAnonymous tells whether a descriptor is a pipe without a name, which belongs to nobody else.
func isAnonymous(fd int, is *unix.Stat_t) bool {
	var fs unix.Statfs_t
	return is.Mode&unix.S_IFMT == unix.S_IFIFO && unix.Fstatfs(fd, &fs) == nil && fs.Type == unix.PIPEFS_MAGIC
}
