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

// Peer is who is at the other end, as the kernel says: who connected, whoever writes now.
type Peer struct {
	UID, GID uint32
	PID      int // 0: it is in a PID namespace that we cannot see
}

// identify asks the kernel who has connected, and decides whether it may call: root and our
// own uid may, and whom the configuration names.
func (s *Server) identify(u *net.UnixConn) (p Peer, own bool, may error) {
	var groups []uint32
	err := control(u, func(fd int) (err error) {
		p, err = credentials(fd)
		groups = peerGroups(fd)
		return err
	})
	if err != nil {
		return p, false, NotPermitted{"the kernel does not say who you are: " + err.Error()}
	}
	own = p.UID == 0 || p.UID == uint32(os.Geteuid())
	isIn := func(g uint32) bool { return g == p.GID || slices.Contains(groups, g) }
	if own || slices.Contains(s.config.UIDs, p.UID) || slices.ContainsFunc(s.config.GIDs, isIn) {
		return p, own, nil
	}
	return p, false, NotPermitted{fmt.Sprintf("uid %d may not control this supervisor; root and uid %d may, and whom the configuration allows", p.UID, os.Geteuid())}
}

func credentials(fd int) (Peer, error) {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return Peer{}, err
	}
	return Peer{UID: cred.Uid, GID: cred.Gid, PID: int(cred.Pid)}, nil
}

// control lends the descriptor of a connection or file.
func control(of syscall.Conn, use func(fd int) error) error {
	raw, err := of.SyscallConn()
	if err != nil {
		return err
	}
	if e := raw.Control(func(fd uintptr) { err = use(int(fd)) }); e != nil {
		return e
	}
	return err
}

// peerGroups returns the supplementary groups of the other end (SO_PEERGROUPS, since Linux
// 4.13), none where they cannot be had.
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
