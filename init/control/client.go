package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Client is a connection to a supervisor. It makes one call at a time. After an error that is
// not the supervisor's answer, or the end of a context, it is of no more use.
type Client struct {
	conn *net.UnixConn
	in   *bufio.Reader
}

// dialAgain is how often a socket that is not there yet is tried.
const dialAgain = 20 * time.Millisecond

// Dial connects to the supervisor whose socket is at path. While there is none, or nobody
// answers there, it tries again for as long as wait: the supervisor may be starting.
func Dial(ctx context.Context, path string, wait time.Duration) (*Client, error) {
	over := time.After(wait)
	tick := time.NewTicker(dialAgain)
	defer tick.Stop()
	for {
		var d net.Dialer
		c, err := d.DialContext(ctx, "unix", path)
		if err == nil {
			return &Client{conn: c.(*net.UnixConn), in: bufio.NewReader(c)}, nil
		}
		if !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ECONNREFUSED) {
			return nil, explainDial(path, err)
		}
		select {
		case <-tick.C:
		case <-over:
			return nil, explainDial(path, err)
		case <-ctx.Done():
			return nil, fmt.Errorf("%w (%w)", explainDial(path, err), context.Cause(ctx))
		}
	}
}

func explainDial(path string, err error) error {
	what := "is cginit running, with a control socket there? --socket or CGINIT_SOCKET name another"
	if errors.Is(err, unix.EACCES) {
		what = "only root and the supervisor's own user may open it"
	}
	return fmt.Errorf("no supervisor answers at %s: %w; %s", path, unwrapAll(err), what)
}

// Close ends the connection, and with it what was started on it and is not detached.
func (c *Client) Close() error { return c.conn.Close() }

// Server says who has made the socket.
func (c *Client) Server() (p Peer, err error) {
	err = control(c.conn, func(fd int) (err error) {
		p, err = credentials(fd)
		return err
	})
	return p, err
}

// call makes a call and returns its one reply.
func call[R any](ctx context.Context, c *Client, method string, p any) (*R, error) {
	for r, err := range stream[R](ctx, c, request{Method: method}, p, nil) {
		return r, err
	}
	panic("control: a stream without an end") // it has yielded a reply or an error
}

// stream makes a call and yields its replies. Who does not wait for the last cannot use the
// connection again.
func stream[R any](ctx context.Context, c *Client, r request, p any, files []int) iter.Seq2[*R, error] {
	return func(yield func(*R, error) bool) {
		defer context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })()
		err := c.send(r, p, files)
		for continues := true; continues; {
			var answer R
			// What could not be sent may have been answered: that there is no room, for one.
			if got, e := c.receive(&answer); e == nil || err == nil {
				continues, err = got, e
			}
			if ctx.Err() != nil && err != nil {
				err = context.Cause(ctx)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(&answer, nil) {
				return
			}
		}
	}
}

// send writes a call, and with its first byte the descriptors.
func (c *Client) send(r request, p any, files []int) error {
	if !strings.Contains(r.Method, ".") {
		r.Method = Interface + "." + r.Method
	}
	var err error
	if r.Parameters, err = json.Marshal(p); err != nil {
		return err
	}
	message, err := json.Marshal(r)
	if err != nil {
		return err
	}
	var rights []byte
	if len(files) > 0 {
		rights = unix.UnixRights(files...)
	}
	message = append(message, 0)
	n, _, err := c.conn.WriteMsgUnix(message, rights, nil)
	if err == nil && n < len(message) {
		_, err = c.conn.Write(message[n:])
	}
	return err
}

// receive reads a reply. An error that the supervisor has answered is of the type of that
// name, such as [NotFound].
func (c *Client) receive(answer any) (continues bool, err error) {
	message, err := c.in.ReadBytes(0)
	if err != nil {
		return false, fmt.Errorf("the supervisor has closed the connection: %w", unwrapAll(err))
	}
	var r struct {
		Error      string          `json:"error"`
		Parameters json.RawMessage `json:"parameters"`
		Continues  bool            `json:"continues"`
	}
	if err := json.Unmarshal(message[:len(message)-1], &r); err != nil {
		return false, fmt.Errorf("the supervisor's reply makes no sense: %w", err)
	}
	if r.Error != "" {
		if decode := known[r.Error]; decode != nil {
			return false, decode(r.Parameters)
		}
		return false, RemoteError{r.Error, r.Parameters}
	}
	if len(r.Parameters) == 0 {
		return r.Continues, nil
	}
	return r.Continues, json.Unmarshal(r.Parameters, answer)
}

// descriptor returns the number of a file's descriptor and leaves its mode alone, which
// [os.File.Fd] may change.
func descriptor(f *os.File) (n int, err error) {
	err = control(f, func(fd int) error { n = fd; return nil })
	return n, err
}
