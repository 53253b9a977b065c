package proctree

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/cginit/cginit/internal/ids"
	"golang.org/x/sys/unix"
)

// Order says what a holder executes as the main process of its job.
type Order struct {
	// Path is the file to execute. PATH is not searched.
	Path string
	// Args are the arguments, the name of the program first.
	Args []string
	// Env is the whole environment, as NAME=VALUE.
	Env []string
	// Dir is the working directory. If it is empty, it is that of the supervisor at the time when
	// the holder was made.
	Dir string
	// Files are descriptors of the supervisor that become 0, 1, 2 and so on of the main process;
	// -1 leaves one closed. The holder keeps none of them open.
	Files []int

	// Setsid makes the main process the leader of a session of its own. Where the kernel divides
	// the CPU by sessions (sched_autogroup), the job then does not share the holder's part.
	Setsid bool
	// Setpgid puts the main process into the process group Pgid of the holder's session, or makes
	// it the leader of a group of its own if Pgid is 0.
	Setpgid bool
	Pgid    int

	// User is the user that the main process runs as. If it is nil, that is the supervisor's user.
	User *User
	// NoNewPrivs sets no_new_privs for the job (see prctl(2)).
	NoNewPrivs bool
	// Own is not nil if the uid of the job is its alone.
	Own *Own
	// OOMMore is added to the supervisor's oom_score_adj for the job, up to 1000.
	OOMMore int
}

// User is the user that the main process runs as.
type User struct {
	UID, GID uint32
	// Groups are all supplementary groups.
	Groups []uint32
}

// Own says that the uid of the [Order] is the job's alone: no process of the PID namespace has that
// uid but those of the job. In a pod that shares its PID namespace, the processes of other
// containers count too. The holder then signals the job by kill(-1) under that uid. Own implies
// NoNewPrivs, because a set-user-ID program would get away.
type Own struct {
	// UID is the uid of the job: that of its User, or the one that the program in Path changes to.
	UID uint32
	// Killer is a uid that no process has. It is the real and the saved uid of the thread that
	// calls kill(-1), so that the job cannot signal that thread. All holders can share it.
	Killer uint32
}

// maxOrderFiles is how many descriptors of the job an order can have: the most that one message can
// carry is 253 (SCM_MAX_FD), and one of them is the order itself.
const maxOrderFiles = 252

// check returns an error for an order that no holder can carry out.
func (o *Order) check() error {
	if o.Path == "" || len(o.Args) == 0 {
		return errors.New("an order needs a path and at least one argument")
	}
	if len(o.Files) > maxOrderFiles {
		return fmt.Errorf("%d descriptors are too many for a job, the most is %d", len(o.Files), maxOrderFiles)
	}
	for _, s := range slices.Concat([]string{o.Path, o.Dir}, o.Args, o.Env) {
		if strings.IndexByte(s, 0) >= 0 {
			return fmt.Errorf("%q contains a NUL byte: %w", s, unix.EINVAL)
		}
	}
	if o.Own == nil {
		return nil
	}
	if o.User != nil && o.User.UID != o.Own.UID {
		return fmt.Errorf("the job has two uids: User says %d and Own says %d", o.User.UID, o.Own.UID)
	}
	return o.Own.check()
}

// check returns an error if kill(-1) would reach others than the job: uid 0 and our own uids.
func (o *Own) check() error {
	uid := o.UID
	real, effective, saved := ids.Getresuid()
	ours := []uint32{0, real, effective, saved, ^uint32(0)}
	switch {
	case slices.Contains(ours, uid):
		return fmt.Errorf("uid %d cannot be the job's alone: it is root's or the supervisor's", uid)
	case slices.Contains(ours, o.Killer) || o.Killer == uid:
		return fmt.Errorf("uid %d cannot be the killer's: it is root's, the supervisor's or the job's", o.Killer)
	}
	return nil
}

// pack writes the order to a file in memory that the holder reads, because an order can be larger
// than a message (memfd_create, since Linux 3.17).
func (o *Order) pack() (*os.File, error) {
	fd, err := unix.MemfdCreate("cginit-order", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("cannot create a memfd: %w", err)
	}
	file := os.NewFile(uintptr(fd), "order")
	if _, err := file.WriteAt(o.encode(), 0); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}
