package proctree

import "golang.org/x/sys/unix"

// add puts the children of pid at the end of the queue. threads is how many it has, 0 if that
// is not known.
func (w *walker) add(pid, threads int) {
	switch {
	case w.children && threads == 1:
		w.addFromThread(pid, pid)
	case w.children:
		w.addFrom(pid)
	case w.proc >= 0:
		for _, n := range w.all {
			if int(n.parent) == pid {
				w.queue = append(w.queue, n)
			}
		}
	case pid == w.self:
		w.addWaited()
	}
}

// addFrom reads the children files of all threads of pid.
func (w *walker) addFrom(pid int) {
	dir := w.openAt(pid, "task", 0, "")
	if dir < 0 {
		return
	}
	defer unix.Close(dir)
	for {
		n, err := unix.ReadDirent(dir, w.names[:])
		if err != nil || n <= 0 {
			return
		}
		for tid := range numbers(w.names[:n]) {
			w.addFromThread(pid, tid)
		}
	}
}

func (w *walker) addFromThread(pid, tid int) {
	fd := w.openAt(pid, "task", tid, "children")
	if fd < 0 {
		return
	}
	defer unix.Close(fd)
	child := 0
	for {
		n, err := unix.Read(fd, w.buf[:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return
		}
		for _, c := range w.buf[:n] {
			switch {
			case c >= '0' && c <= '9':
				child = 10*child + int(c-'0')
			case child != 0: // every pid has a space after it
				w.queue = append(w.queue, node{int32(child), int32(pid)})
				child = 0
			}
		}
	}
}

// scan reads who is whose child from every process, where no children files tell.
func (w *walker) scan() {
	w.all = w.all[:0]
	if w.children || w.proc < 0 {
		return
	}
	dir := openRaw(w.proc, append(w.path[:0], '.', 0))
	if dir < 0 {
		return
	}
	defer unix.Close(dir)
	for {
		n, err := unix.ReadDirent(dir, w.names[:])
		if err != nil || n <= 0 {
			return
		}
		for pid := range numbers(w.names[:n]) {
			if s, ok := w.stat(pid); ok {
				w.all = append(w.all, node{int32(pid), int32(s.parent)})
			}
		}
	}
}

// pidLimit is PID_MAX_LIMIT, which no pid reaches, and pidUsual what most kernels stay below.
const pidLimit, pidUsual = 1 << 22, 1 << 15

// addWaited finds our own children without /proc, by asking the kernel of every pid whether we
// could wait for it.
func (w *walker) addWaited() {
	for pid := 2; pid < pidLimit; pid++ {
		if pid == pidUsual && len(w.queue) > 0 {
			return
		}
		if unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil) == nil {
			w.queue = append(w.queue, node{int32(pid), int32(w.self)})
		}
	}
}
