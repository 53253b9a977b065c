package proctree

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Order is what a holder is to execute as the main process of its job.
type Order struct {
	Path string // no search of PATH
	Args []string
	Env  []string
	Dir  string // empty: that of the supervisor when the holder was made
	// Files are the supervisor's descriptors that become 0, 1, 2 and so on; -1 leaves one
	// closed. The holder keeps none of them.
	Files []int

	// Setsid: the main process leads a session of its own. Where the kernel divides the CPU by
	// sessions (sched_autogroup), the holder is then not one among hundreds.
	Setsid  bool
	Setpgid bool // or joins the process group Pgid of the holder's session; 0: leads one of its own
	Pgid    int

	User       *User // nil: that of the supervisor
	NoNewPrivs bool
	Own        *Own // nil: the uid is not the job's alone
	// OOMMore is by how much the main process' oom_score_adj is above the supervisor's.
	OOMMore int
}

// User is who the main process runs as.
type User struct {
	UID, GID uint32
	Groups   []uint32
}

// Own says that the uid of the [Order] is the job's alone: no process in the PID namespace has
// it that is not the job's, those of other containers of a pod that shares the namespace
// included. Its processes are then signalled by kill(-1) under that uid. It implies
// NoNewPrivs, since a set-user-ID program would get away.
type Own struct {
	// UID is the job's: that of its User, or what the program in Path makes it.
	UID uint32
	// Killer is a uid that no process has. It is the real and saved one of the thread that
	// calls kill(-1), so that the job may not signal that thread. All holders can share it.
	Killer uint32
}

// mostFiles is how many descriptors one message can carry (SCM_MAX_FD), less the order's.
const mostFiles = 252

func (o *Order) check() error {
	if o.Path == "" || len(o.Args) == 0 {
		return errors.New("an order needs a path and at least one argument")
	}
	if len(o.Files) > mostFiles {
		return fmt.Errorf("%d descriptors are too many for a job, the most is %d", len(o.Files), mostFiles)
	}
	for _, s := range slices.Concat([]string{o.Path, o.Dir}, o.Args, o.Env) {
		if strings.IndexByte(s, 0) >= 0 {
			return fmt.Errorf("%q has a NUL in it: %w", s, unix.EINVAL)
		}
	}
	if o.Own == nil {
		return nil
	}
	if o.User != nil && o.User.UID != o.Own.UID {
		return fmt.Errorf("the job's uid is %d or %d, not both", o.User.UID, o.Own.UID)
	}
	return o.Own.check()
}

// check refuses what would make kill(-1) reach others than the job: uid 0 and ours.
func (o *Own) check() error {
	uid := o.UID
	real, effective, saved := unix.Getresuid()
	ours := []uint32{0, uint32(real), uint32(effective), uint32(saved), ^uint32(0)}
	switch {
	case slices.Contains(ours, uid):
		return fmt.Errorf("uid %d cannot be a job's alone: it is root's or the supervisor's", uid)
	case slices.Contains(ours, o.Killer) || o.Killer == uid:
		return fmt.Errorf("uid %d cannot be the killer's: it is root's, the supervisor's or the job's", o.Killer)
	}
	return nil
}

// pack puts the order where the holder can read it, whatever its size (memfd_create, since
// Linux 3.17).
func (o *Order) pack() (*os.File, error) {
	fd, err := unix.MemfdCreate("cginit-order", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("cannot make a memfd: %w", err)
	}
	file := os.NewFile(uintptr(fd), "order")
	if _, err := file.WriteAt(o.encode(), 0); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}
