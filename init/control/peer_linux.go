package control

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Peer is the process that has connected, as the kernel recorded it then. Another process may have
// been given the connection since.
type Peer struct {
	UID, GID uint32
	// PID is 0 if the process is in a PID namespace that we cannot see.
	PID int
}

// identify returns who has connected, and whether that is root or our own uid. refusal is nil if the
// peer may call: root and our own uid may, and the uids and groups of the configuration.
func (s *Server) identify(u *net.UnixConn) (p Peer, isOwn bool, refusal error) {
	var groups []uint32
	err := withDescriptor(u, func(fd int) (err error) {
		p, err = credentials(fd)
		groups = peerGroups(fd)
		return err
	})
	if err != nil {
		return p, false, NotPermitted{"cannot find out who you are: " + err.Error()}
	}
	isOwn = p.UID == 0 || p.UID == uint32(os.Geteuid())
	isIn := func(g uint32) bool { return g == p.GID || slices.Contains(groups, g) }
	if isOwn || slices.Contains(s.config.UIDs, p.UID) || slices.ContainsFunc(s.config.GIDs, isIn) {
		return p, isOwn, nil
	}
	return p, false, NotPermitted{fmt.Sprintf("uid %d may not control this supervisor; "+
		"root, uid %d, and the users and groups under \"access\" in the configuration may", p.UID, os.Geteuid())}
}

// credentials returns the process at the other end of a socket.
func credentials(fd int) (Peer, error) {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return Peer{}, err
	}
	return Peer{UID: cred.Uid, GID: cred.Gid, PID: int(cred.Pid)}, nil
}

// withDescriptor calls use with the descriptor of a connection or a file. use must not block.
func withDescriptor(of syscall.Conn, use func(fd int) error) error {
	raw, err := of.SyscallConn()
	if err != nil {
		return err
	}
	if e := raw.Control(func(fd uintptr) { err = use(int(fd)) }); e != nil {
		return e
	}
	return err
}

// peerGroups returns the supplementary groups of the process at the other end of a socket. It returns
// none if the kernel does not tell (SO_PEERGROUPS, since Linux 4.13).
func peerGroups(fd int) []uint32 {
	buf := make([]byte, 4*64)
	for {
		size := uint32(len(buf))
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_PEERGROUPS,
			uintptr(unsafe.Pointer(&buf[0])), uintptr(unsafe.Pointer(&size)), 0)
		if errno == unix.ERANGE && int(size) > len(buf) {
			buf = make([]byte, size)
			continue
		}
		if errno != 0 {
			return nil
		}
		groups := make([]uint32, size/4)
		for i := range groups {
			groups[i] = binary.NativeEndian.Uint32(buf[4*i:])
		}
		return groups
	}
}
