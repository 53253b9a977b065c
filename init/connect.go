package supervisor

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/cginit/cginit/init/child"
	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/hold"
	"github.com/cginit/cginit/init/life"
	"github.com/cginit/cginit/init/output"
	"github.com/cginit/cginit/internal/self"
)

// spawn starts the main process of a run in its containment. It returns how far the start has come,
// or an error if it cannot be begun.
func (s *Supervisor) spawn(r *run) (hold.Progress, error) {
	path, err := programOf(r)
	if err != nil {
		return 0, err
	}
	c, err := s.connect(r)
	if err != nil {
		return 0, err
	}
	defer c.close()
	c.Path = path
	s.placeAtTerminal(r, c)
	return r.held.Start(&c.Order)
}

// programOf returns the path of the program that a run executes. The error is that of
// [child.LookPathIn].
func programOf(r *run) (string, error) {
	if r.isProbe {
		return self.Exe(), nil
	}
	return child.LookPathIn(r.spec.Dir, r.spec.Args[0], r.spec.Env)
}

// placeAtTerminal sets the session, the process group and the terminal of the main process. Only
// the command of the command line can take our terminal.
func (s *Supervisor) placeAtTerminal(r *run, c *connection) {
	t, isSingle := s.terminal, r.job == s.jobs.single
	c.NewSession = r.spec.NewSession || c.Terminal >= 0
	if t == nil || !isSingle {
		return
	}
	c.SharesSession = true
	c.SharesGroup = t.shared && !r.spec.Group
	if c.Terminal < 0 && (t.given || r.spec.NewSession) {
		c.Terminal = int(t.file.Fd())
	}
}

// connect opens what a run reads and writes. The command of the command line keeps our own
// descriptors.
func (s *Supervisor) connect(r *run) (_ *connection, err error) {
	c := &connection{Order: hold.Order{
		Args: r.spec.Args, Env: r.spec.Env, Dir: r.spec.Dir, Identity: r.spec.Identity,
		Files: [3]int{0, 1, 2}, Terminal: -1, Inherited: s.inherited.fds, ListenPid: s.inherited.listenPid,
	}}
	defer func() {
		if u := r.spec.User; err == nil && u != nil {
			c.lendOurs(int(u.UID), r.job == s.jobs.single)
		}
	}()
	switch {
	case r.job == s.jobs.single && r.role == roleMain:
		return c, nil
	case r.job.lease != nil && len(r.job.lease.files) > 0:
		r.job.lease.connect(c)
		return c, nil
	}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if !r.spec.StdinOpen {
		c.Files[0] = int(s.null.Fd())
	}
	switch {
	case r.role == roleHealth:
		return c, s.capture(r, c)
	case r.spec.TTY:
		err = s.connectPty(r, c)
	default:
		err = s.connectOutput(r, c)
	}
	if err == nil {
		err = s.connectReadiness(r, c)
	}
	return c, err
}

// connectOutput sends the output of a run to ours, to a pipe that we read line by line, or to
// /dev/null.
func (s *Supervisor) connectOutput(r *run, c *connection) error {
	switch r.spec.Log {
	case config.LogInherit:
	case config.LogNone:
		c.Files[1], c.Files[2] = int(s.null.Fd()), int(s.null.Fd())
	case config.LogPrefix, config.LogJSON:
		return s.connectLines(r, c)
	}
	return nil
}

// connectLines gives a run a pipe for stdout and one for stderr, and starts a goroutine that reads
// each.
func (s *Supervisor) connectLines(r *run, c *connection) error {
	p := &pipes{}
	for _, stream := range []struct {
		name string
		fd   int
		to   *os.File
	}{{"stdout", 1, os.Stdout}, {"stderr", 2, os.Stderr}} {
		read, write, err := newPipe()
		if err != nil {
			return err
		}
		if u := r.spec.User; u != nil { // it may open /dev/stdout again, see lendOurs
			_ = write.Chown(int(u.UID), -1)
		}
		c.Files[stream.fd], c.theirs = int(write.Fd()), append(c.theirs, write)
		p.open++
		go s.copyLines(r, p, read, output.NewLines(output.Shared{File: stream.to}, r.source(stream.name)))
	}
	r.pipes = p
	return nil
}

// source returns the name and the format of the lines of one stream (stdout or stderr) of the run.
func (r *run) source(stream string) output.Source {
	src := output.Source{Job: r.name, Run: r.number, Stream: stream, JSON: r.spec.Log == config.LogJSON, TTY: r.spec.TTY}
	if isTerminal(1) {
		src.Color = r.spec.Name
	}
	return src
}

// connectPty gives a run a new pseudo-terminal, and starts the goroutine that copies its output.
func (s *Supervisor) connectPty(r *run, c *connection) error {
	ours, theirs, err := openPty()
	if err != nil {
		return fmt.Errorf("cannot make a terminal (is there a /dev/pts?): %w", err)
	}
	if u := r.spec.User; u != nil { // it may open /dev/stdout again, see lendOurs
		_ = theirs.Chown(int(u.UID), -1)
	}
	c.Terminal = int(theirs.Fd())
	c.Files = [3]int{c.Terminal, c.Terminal, c.Terminal}
	r.pipes.hangUp() // the terminal of an earlier try that failed
	p := &pipes{open: 1, ours: ours, theirs: theirs}
	r.pipes = p
	p.setSize()
	switch r.spec.Log {
	case config.LogPrefix, config.LogJSON:
		go s.copyLines(r, p, ours, output.NewLines(output.Shared{File: os.Stdout}, r.source("stdout")))
	case config.LogInherit:
		go s.copyRaw(r, p, output.Shared{File: os.Stdout})
	case config.LogNone:
		go s.copyRaw(r, p, io.Discard)
	}
	if r.spec.StdinOpen {
		s.keyboard.read(s.post, func() *os.File { return s.live.reader() })
	}
	return nil
}

// copyLines runs in a goroutine: it copies the lines of one pipe until the pipe ends, and then
// tells the loop.
func (s *Supervisor) copyLines(r *run, p *pipes, from *os.File, to *output.Lines) {
	last := to.Copy(from, s.turn)
	from.Close()
	s.post(func() {
		r.job.keepWords(last)
		s.hasDried(r, p)
	})
}

// copyRaw runs in a goroutine: it copies the output of a run's terminal unchanged until nobody has
// the terminal open, and then tells the loop.
func (s *Supervisor) copyRaw(r *run, p *pipes, to io.Writer) {
	output.CopyRaw(to, p.ours, s.turn)
	p.ours.Close()
	s.post(func() { s.hasDried(r, p) })
}

// hasDried records that one of a run's pipes has ended and that all of its output was copied. A
// removal that waits for the last pipe goes on.
func (s *Supervisor) hasDried(r *run, p *pipes) {
	p.open--
	if p.areDry() && r.State() == life.RunRemoving {
		s.feed(r, life.EvDeadline)
	}
}

// checkOutput is how many bytes of a health check's output are kept.
const checkOutput = 1 << 10

// capture keeps the first checkOutput bytes that a health check writes, for the message that it
// failed.
func (s *Supervisor) capture(r *run, c *connection) error {
	read, write, err := newPipe()
	if err != nil {
		return err
	}
	c.Files[1], c.Files[2], c.theirs = int(write.Fd()), int(write.Fd()), append(c.theirs, write)
	p := &pipes{open: 1}
	r.pipes = p
	go func() {
		text, _ := io.ReadAll(io.LimitReader(read, checkOutput))
		_, _ = io.Copy(io.Discard, read)
		read.Close()
		s.post(func() {
			r.said = string(bytes.TrimSpace(text))
			s.hasDried(r, p)
		})
	}()
	return nil
}

// connectReadiness opens the pipe or the socket through which a run reports that it is ready. The steps of a job
// get its socket too.
func (s *Supervisor) connectReadiness(r *run, c *connection) error {
	spec := r.spec
	if spec.Ready.Kind == config.ReadyFD {
		read, write, err := newPipe()
		if err != nil {
			return err
		}
		c.Ready, c.ReadyAs, c.theirs = write, spec.Ready.FD, append(c.theirs, write)
		go hearReady(read, func() { s.post(func() { s.saysReady(r) }) })
	}
	j := r.job
	if j.spec.Ready.Kind != config.ReadyNotify && j.spec.Watchdog == 0 {
		return nil
	}
	if j.notify != nil && !j.notify.isThere() {
		j.notify.close()
		j.notify = nil
	}
	if j.notify == nil {
		n, err := s.jobs.sockets.listen()
		if err != nil {
			return err
		}
		j.notify = n
		go n.watch(s.post, func() { s.hear(j, heardAtOnce) })
	}
	c.Env = append(slices.Clone(c.Env), j.notify.env(spec)...)
	return nil
}

// hearReady calls ready when a newline has come. It returns without a call at the end of the pipe.
func hearReady(read *os.File, ready func()) {
	defer read.Close()
	var b [64]byte
	for {
		n, err := read.Read(b[:])
		if slices.Contains(b[:n], '\n') {
			ready()
			return
		}
		if err != nil {
			return
		}
	}
}
