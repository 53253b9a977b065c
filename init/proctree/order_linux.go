package proctree

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

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

	Setsid  bool // the main process leads a session of its own
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

// encode writes the order as strings that end with NUL, which none of them has in it.
func (o *Order) encode() []byte {
	var b []byte
	text := func(s string) { b = append(append(b, s...), 0) }
	number := func(n int64) { text(strconv.FormatInt(n, 10)) }
	texts := func(list []string) {
		number(int64(len(list)))
		for _, s := range list {
			text(s)
		}
	}
	flag := func(f bool) {
		if f {
			number(1)
		} else {
			number(0)
		}
	}
	text(o.Path)
	texts(o.Args)
	texts(o.Env)
	text(o.Dir)
	number(int64(len(o.Files)))
	for _, fd := range o.Files {
		flag(fd >= 0)
	}
	flag(o.Setsid)
	flag(o.Setpgid)
	number(int64(o.Pgid))
	flag(o.NoNewPrivs || o.Own != nil)
	number(int64(o.OOMMore))
	flag(o.Own != nil)
	if o.Own != nil {
		number(int64(o.Own.UID))
		number(int64(o.Own.Killer))
	}
	flag(o.User != nil)
	if o.User != nil {
		number(int64(o.User.UID))
		number(int64(o.User.GID))
		number(int64(len(o.User.Groups)))
		for _, g := range o.User.Groups {
			number(int64(g))
		}
	}
	return b
}

// decode is the holder's side of encode. handed are the descriptors that came with the order.
func decode(b []byte, handed []int) (o Order, ok bool) {
	rest, ok := string(b), true
	text := func() (s string) {
		before, after, found := strings.Cut(rest, "\x00")
		ok = ok && found
		rest = after
		return before
	}
	number := func() int64 {
		n, err := strconv.ParseInt(text(), 10, 64)
		ok = ok && err == nil
		return n
	}
	count := func() int { // of what is at least a NUL each
		n := number()
		if n < 0 || n > int64(len(rest)) {
			n, ok = 0, false
		}
		return int(n)
	}
	flag := func() bool { return number() != 0 }
	texts := func() []string {
		list := make([]string, count())
		for i := range list {
			list[i] = text()
		}
		return list
	}
	o = Order{Path: text(), Args: texts(), Env: texts(), Dir: text()}
	o.Files = make([]int, count())
	for i := range o.Files {
		o.Files[i] = -1
		if flag() && len(handed) > 0 {
			o.Files[i], handed = handed[0], handed[1:]
		}
	}
	o.Setsid, o.Setpgid, o.Pgid = flag(), flag(), int(number())
	o.NoNewPrivs, o.OOMMore = flag(), int(number())
	if flag() {
		o.Own = &Own{UID: uint32(number()), Killer: uint32(number())}
	}
	if flag() {
		o.User = &User{UID: uint32(number()), GID: uint32(number())}
		o.User.Groups = make([]uint32, count())
		for i := range o.User.Groups {
			o.User.Groups[i] = uint32(number())
		}
	}
	return o, ok
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

// execute forks and executes. The thread is locked, and so what is set for it alone
// (no_new_privs, since Linux 3.5) is set for the child.
func (o *Order) execute() (pid int, err error) {
	attr := &syscall.ProcAttr{Dir: o.Dir, Env: o.Env, Sys: &syscall.SysProcAttr{
		Setsid: o.Setsid, Setpgid: o.Setpgid, Pgid: o.Pgid,
	}}
	for _, fd := range o.Files {
		attr.Files = append(attr.Files, uintptr(fd))
	}
	if u := o.User; u != nil {
		attr.Sys.Credential = &syscall.Credential{Uid: u.UID, Gid: u.GID, Groups: u.Groups}
	}
	if o.NoNewPrivs {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return 0, err
		}
	}
	defer raiseOOMScore(o.OOMMore)()
	return syscall.ForkExec(o.Path, o.Args, attr)
}

// raiseOOMScore raises our oom_score_adj, which the child inherits, and returns what puts it
// back. What fails leaves it as it is.
func raiseOOMScore(by int) (restore func()) {
	const file = "/proc/self/oom_score_adj"
	if by == 0 {
		return func() {}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return func() {}
	}
	ours, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return func() {}
	}
	write := func(n int) { _ = os.WriteFile(file, strconv.AppendInt(nil, int64(n), 10), 0) }
	write(min(ours+by, 1000))
	return func() { write(ours) }
}
