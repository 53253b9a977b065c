package supervisor

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// notifyDir is the directory of the NOTIFY_SOCKETs. It is made for the first of them, and again if somebody
// has removed it meanwhile. The last of them removes it.
type notifyDir struct {
	path  string // empty: none was made yet
	named int    // how many sockets have got a name
}

// bind gives a socket a name and returns that. It is a path, because some clients know no abstract sockets
// (Ruby's sd_notify). Where neither /run nor /tmp can be written to, the socket is abstract (unix(7)).
//
// Everybody can search the directory and send to the socket, whichever user the job becomes. Mkdir never takes
// what is there already, such as a symbolic link that another user has put into /tmp.
func (d *notifyDir) bind(fd int) (name string, err error) {
	defer unix.Umask(unix.Umask(0)) // nobody but the loop makes files
	d.named++
	file := "/notify-" + strconv.Itoa(d.named)
	if isOurDir(d.path) && bindTo(fd, d.path+file) == nil {
		return d.path + file, nil
	}
	var random [8]byte
	if _, err := unix.Getrandom(random[:], 0); err != nil {
		return "", err
	}
	own := "cginit-" + hex.EncodeToString(random[:])
	for _, parent := range parents() {
		dir := parent + own
		if unix.Mkdir(dir, 0o711) != nil {
			continue
		}
		if bindTo(fd, dir+file) == nil {
			d.path = dir
			return dir + file, nil
		}
		_ = unix.Rmdir(dir) // a file system without sockets
	}
	name = "@" + own + file
	return name, bindTo(fd, name)
}

// bindTo binds a socket to a path, or to the name of an abstract socket, which begins with @.
func bindTo(fd int, name string) error { return unix.Bind(fd, &unix.SockaddrUnix{Name: name}) }

// parents returns the directories that every user can reach in which ours can be, the better ones first: where
// everybody may rename what is another's, as in an emptyDir of Kubernetes, a job can hide the sockets of others.
func parents() (dirs []string) {
	var worse []string
	for _, dir := range []string{"/run/", "/tmp/"} {
		var st unix.Stat_t
		switch {
		case unix.Stat(dir, &st) != nil || st.Mode&unix.S_IXOTH == 0:
		case st.Mode&unix.S_IWOTH != 0 && st.Mode&unix.S_ISVTX == 0:
			worse = append(worse, dir)
		default:
			dirs = append(dirs, dir)
		}
	}
	return append(dirs, worse...)
}

// isOurDir tells whether there is a directory at path that we have made, and no symbolic link.
func isOurDir(path string) bool {
	var st unix.Stat_t
	return unix.Lstat(path, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR && int(st.Uid) == os.Getuid()
}

// isThere tells whether the job can find the socket: somebody may have emptied /run or /tmp.
func (n *notifier) isThere() bool {
	return n.name[0] == '@' || isOurDir(filepath.Dir(n.name)) && unix.Access(n.name, unix.F_OK) == nil
}

// close closes the socket and removes its file. The last one removes the directory. n may be nil.
func (n *notifier) close() {
	if n == nil {
		return
	}
	n.file.Close()
	if dir := filepath.Dir(n.name); n.name[0] != '@' && isOurDir(dir) {
		_ = unix.Unlink(n.name)
		_ = unix.Rmdir(dir) // others are in it
	}
}
