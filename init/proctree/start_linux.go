package proctree

import (
	"golang.org/x/sys/unix"
)

// awaitOrder waits for an order that can be executed and reports whether one came. None comes if
// the supervisor closes the socket of a spare holder, or dies. mask is the signal mask of the job.
func (h *holder) awaitOrder(mask uint64) bool {
	for {
		var b [messageSize]byte
		var rights [1024]byte // CMSG_SPACE of SCM_MAX_FD descriptors
		n, nr, _, _, err := unix.Recvmsg(holderSocket, b[:], rights[:], unix.MSG_CMSG_CLOEXEC)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return false
		}
		var m message
		copy(m.bytes(), b[:n])
		if m.kind != requestStart {
			continue // there is nothing to signal or to kill yet
		}
		err = h.start(parseRights(rights[:nr]), mask)
		if err == nil {
			ignoreSignals()
			h.score.close()
			h.tell(&message{kind: int64(Started), pid: int64(h.main)})
			return true
		}
		h.fail(err)
	}
}

// start executes an order and sets h.main. handed are the descriptors that came with the request:
// that of the order, then those of the job. start closes all of them.
func (h *holder) start(handed []int, mask uint64) (err error) {
	defer func() {
		for _, fd := range handed {
			unix.Close(fd)
		}
	}()
	if len(handed) == 0 {
		return unix.EBADF
	}
	o, err := readOrder(handed)
	if err != nil {
		return err
	}
	if o.Own != nil && h.killer == nil {
		if h.killer, err = startKiller(o.Own.UID, o.Own.Killer); err != nil {
			return err
		}
	}
	// Signals are blocked since launch. This only returns the mask to restore.
	before, err := blockSignals()
	if err != nil {
		return err
	}
	defer restoreSignals(before)
	var theirs unix.Sigset_t
	setMask(theirs.Val[:], mask)
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &theirs, nil); err != nil {
		return err
	}
	ignoreCaught()
	h.main, err = o.execute(h.score)
	return err
}

// readOrder reads the order from the first descriptor. The others become the Files of it.
func readOrder(handed []int) (o Order, err error) {
	var info unix.Stat_t
	if err := unix.Fstat(handed[0], &info); err != nil {
		return o, err
	}
	b := make([]byte, info.Size)
	if n, err := unix.Pread(handed[0], b, 0); err != nil || n != len(b) {
		return o, unix.EIO
	}
	o, ok := decode(b, handed[1:])
	if !ok {
		return o, unix.EINVAL
	}
	return o, nil
}

// parseRights returns the descriptors in the control messages that came with a message.
func parseRights(rights []byte) (fds []int) {
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil {
		return nil
	}
	for i := range messages {
		if more, err := unix.ParseUnixRights(&messages[i]); err == nil {
			fds = append(fds, more...)
		}
	}
	return fds
}
