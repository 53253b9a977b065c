package control

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"runtime"
	"time"
	"unicode/utf8"
)

// Lease is what a run depends on, its client's connection: when the client is closed, or its
// process ends however it does, the run is torn down, unless it is detached.
type Lease struct {
	Started *RunReply // the first reply

	client  *Client
	replies func() (*RunReply, error, bool)
	stop    func()
}

// Run runs a command. files are its stdin, stdout and stderr, or one terminal that is all
// three and p says so, or none; they stay the caller's to close. It returns when the run has
// started, or has ended because it could not be: then the first reply is the last.
func (c *Client) Run(ctx context.Context, p RunParams, files ...*os.File) (*Lease, error) {
	for _, s := range append(append([]string{p.Name, p.Process.Cwd}, p.Process.Args...), p.Process.Env...) {
		if !utf8.ValidString(s) {
			return nil, fmt.Errorf("%q is not UTF-8, which is all that the wire can carry", s)
		}
	}
	defer runtime.KeepAlive(files)
	fds := make([]int, len(files))
	for i, f := range files {
		var err error
		if fds[i], err = descriptor(f); err != nil {
			return nil, err
		}
	}
	replies, stop := iter.Pull2(stream[RunReply](ctx, c, request{Method: MethodRun, More: true}, p, fds))
	first, err, _ := replies()
	if err != nil {
		stop()
		return nil, err
	}
	return &Lease{Started: first, client: c, replies: replies, stop: stop}, nil
}

// Wait returns the last reply, which says how the run has ended. For a detached run that is
// the first.
func (l *Lease) Wait() (*RunReply, error) {
	defer l.stop()
	last := l.Started
	for {
		next, err, ok := l.replies()
		if !ok {
			return last, nil
		}
		if err != nil {
			return nil, err
		}
		last = next
	}
}

// Signal sends a signal to the run's main process. It may be called while another goroutine
// waits: nothing comes back.
func (l *Lease) Signal(name string) error {
	p := SignalParams{Jobs: []string{l.Started.Job}, Signal: name}
	return l.client.send(request{Method: MethodSignal, Oneway: true}, p, nil)
}

// End ends the lease and keeps the connection: [Lease.Wait] then tells how the run was torn
// down.
func (l *Lease) End() error { return l.client.conn.CloseWrite() }

// Gone returns when the supervisor has closed the connection.
func (c *Client) Gone(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })()
	_, err := io.Copy(io.Discard, c.in)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
