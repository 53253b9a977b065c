package supervisor

import (
	"os"
	"slices"

	"github.com/cginit/cginit/init/config"
	"golang.org/x/sys/unix"
)

// stdio is what the main process of a run finds open, and its environment.
type stdio struct {
	fds   [3]int   // as plain numbers: File.Fd would change the mode of what we share
	ready *os.File // what it writes its readiness to; nil: nothing
	tty   int      // what becomes the terminal of its session; -1: nothing
	env   []string
	more  []uintptr // what the exec helper has from 3 on, where a holder starts it

	sharesGroup bool       // it stays in our process group
	theirs      []*os.File // closed here once it has them
}

// files is for ProcAttr: index is the number in the process.
func (d *stdio) files() []uintptr {
	return append([]uintptr{uintptr(d.fds[0]), uintptr(d.fds[1]), uintptr(d.fds[2])}, d.more...)
}

func (d *stdio) close() {
	for _, f := range d.theirs {
		f.Close()
	}
}

// connect makes what a run reads and writes. The command of the command line has what we have.
func (s *Supervisor) connect(r *run) (_ *stdio, err error) {
	d := &stdio{fds: [3]int{0, 1, 2}, tty: -1, env: r.spec.Env}
	switch {
	case r.job == s.single && r.role == roleMain:
		return d, nil
	case r.job.lease != nil && len(r.job.lease.files) > 0:
		s.connectCaller(r, d)
		return d, nil
	}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	if !r.spec.StdinOpen {
		d.fds[0] = int(s.null.Fd())
	}
	switch {
	case r.role == roleHealth:
		return d, s.capture(r, d)
	case r.spec.TTY:
		err = s.connectPty(r, d)
	default:
		err = s.connectOutput(r, d)
	}
	if err != nil {
		return nil, err
	}
	if r.role == roleMain {
		err = s.connectReadiness(r, d)
	}
	return d, err
}

// connectCaller gives a run what its caller has passed: three descriptors, or a terminal.
func (s *Supervisor) connectCaller(r *run, d *stdio) {
	files := r.job.lease.files
	if len(files) == len(d.fds) {
		copy(d.fds[:], files)
	} else {
		d.fds = [3]int{files[0], files[0], files[0]}
	}
	if r.job.lease.terminal {
		d.tty = files[0]
	}
}

// connectOutput: inherited, or through us line by line, or nowhere.
func (s *Supervisor) connectOutput(r *run, d *stdio) error {
	switch r.spec.Log {
	case config.LogInherit:
	case config.LogNone:
		d.fds[1], d.fds[2] = int(s.null.Fd()), int(s.null.Fd())
	case config.LogPrefix, config.LogJSON:
		return s.connectPump(r, d)
	}
	return nil
}

// connectReadiness makes what a job says that it is ready with.
func (s *Supervisor) connectReadiness(r *run, d *stdio) error {
	spec := r.spec
	if spec.Ready.Kind == config.ReadyFD {
		read, write, err := pipe()
		if err != nil {
			return err
		}
		d.ready, d.theirs = write, append(d.theirs, write)
		go s.hearReady(r, read)
	}
	if spec.Ready.Kind != config.ReadyNotify && spec.Watchdog == 0 {
		return nil
	}
	if r.job.notify == nil {
		n, err := s.listenNotify(r.job)
		if err != nil {
			return err
		}
		r.job.notify = n
	}
	d.env = append(slices.Clone(d.env), r.job.notify.env(spec)...)
	return nil
}

// pipe makes one whose reading end waits in Go's poller and not in a thread.
func pipe() (read, write *os.File, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, os.NewSyscallError("pipe2", err)
	}
	_ = unix.SetNonblock(fds[0], true)
	return os.NewFile(uintptr(fds[0]), "pipe"), os.NewFile(uintptr(fds[1]), "pipe"), nil
}

// hearReady waits for a line, or for the end of what could still write one.
func (s *Supervisor) hearReady(r *run, read *os.File) {
	defer read.Close()
	var b [64]byte
	for {
		n, err := read.Read(b[:])
		if slices.Contains(b[:n], '\n') {
			s.post(func() { s.saysReady(r) })
			return
		}
		if err != nil {
			return
		}
	}
}

// saysReady takes a run's word for its being ready, if it is the present one of its job.
func (s *Supervisor) saysReady(r *run) {
	if r.job.run == r && r.status == nil {
		s.later(r.job, jvReady)
	}
}
