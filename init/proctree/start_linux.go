package proctree

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// awaitOrder waits for an order that can be executed, and tells whether one came: the
// supervisor may have no use for this holder after all, or may die.
func (h *holder) awaitOrder(mask uint64) bool {
	for {
		var b [messageSize]byte
		var rights [1024]byte // CMSG_SPACE of SCM_MAX_FD descriptors
		n, nr, _, _, err := unix.Recvmsg(socket, b[:], rights[:], unix.MSG_CMSG_CLOEXEC)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return false
		}
		var m message
		copy(m.bytes(), b[:n])
		if m.kind != askStart {
			continue // there is nothing yet to signal or to kill
		}
		err = h.start(descriptors(rights[:nr]), mask)
		if err == nil {
			ignoreSignals()
			h.tell(&message{kind: int64(Started), pid: int64(h.main)})
			return true
		}
		h.fail(err)
	}
}

// start executes the order that is in the first descriptor. It keeps none of them.
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
	before, err := blockSignals() // they are: this is to know what to put back
	if err != nil {
		return err
	}
	defer restoreSignals(before)
	var theirs unix.Sigset_t
	theirs.Val[0] = mask
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &theirs, nil); err != nil {
		return err
	}
	ignoreCaught()
	h.main, err = o.execute()
	return err
}

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

func descriptors(rights []byte) (fds []int) {
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

// threads is how many a holder can need besides its first: one that listens, and one for the
// runtime to move between.
const threads = 2

// reserveThreads has the runtime start its threads now. It dies if it needs one and cannot
// have it, and the job may take the last pid.
func reserveThreads() {
	ready, release := make(chan bool), make(chan bool)
	for range threads {
		go lendThread(ready, release)
	}
	for range threads {
		<-ready
	}
	close(release)
}

func lendThread(ready, release chan bool) {
	runtime.LockOSThread() // a thread of its own, until all have one
	ready <- true
	<-release
	runtime.UnlockOSThread()
}
