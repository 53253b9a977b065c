package control

import (
	"context"
	"fmt"
	"iter"
	"os"
	"runtime"
	"unicode/utf8"
)

// Lease is a run that depends on the connection of its client. The run is torn down when the client
// is closed and when the process of the client ends, for whatever reason. A detached run does not
// depend on it.
type Lease struct {
	// Started is the first reply.
	Started *RunReply

	client  *Client
	replies func() (*RunReply, error, bool)
	stop    func()
}

// Run runs a command. files are its stdin, stdout and stderr, or one terminal if p.Process.Terminal
// is true, or none: outside of Linux it must be none. The caller must close them. Run returns when the
// command has been executed, or when that has failed: then State in the first reply is [Ended].
func (c *Client) Run(ctx context.Context, p RunParams, files ...*os.File) (*Lease, error) {
	for _, s := range append(append([]string{p.Name, p.Process.Cwd}, p.Process.Args...), p.Process.Env...) {
		if !utf8.ValidString(s) {
			return nil, fmt.Errorf("%q is not UTF-8, and JSON cannot carry it", s)
		}
	}
	defer runtime.KeepAlive(files)
	rights, err := rightsOf(files)
	if err != nil {
		return nil, err
	}
	replies, stop := iter.Pull2(callMore[RunReply](ctx, c, request{Method: MethodRun, More: true}, p, rights))
	first, err, _ := replies()
	if err != nil {
		stop()
		return nil, err
	}
	return &Lease{Started: first, client: c, replies: replies, stop: stop}, nil
}

// Wait waits for the last reply and returns it. It says how the run has ended. The last reply of a
// detached run is the first one.
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

// Signal sends a signal to the main process of the run. It may be called while another goroutine
// waits, because it asks for no reply. So it does not tell whether the signal was delivered.
func (l *Lease) Signal(name string) error {
	p := SignalParams{Jobs: []string{l.Started.Job}, Signal: name}
	return l.client.send(request{Method: MethodSignal, Oneway: true}, p, nil)
}

// End ends the lease, so that the run is torn down, and keeps the connection open for the last
// reply: [Lease.Wait] returns it.
func (l *Lease) End() error { return l.client.conn.CloseWrite() }
