package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"strings"
	"syscall"
	"time"
)

// Client is a connection to a supervisor. It makes one call at a time. It cannot be used any more
// after a context has ended, or after an error that is not an answer of the supervisor.
type Client struct {
	conn *net.UnixConn
	in   *bufio.Reader
}

// dialInterval is how long Dial waits between its tries.
const dialInterval = 20 * time.Millisecond

// Dial connects to the supervisor whose socket is at path. If there is no socket, or nothing listens
// on it, Dial tries again until wait is over, because the supervisor may be starting.
func Dial(ctx context.Context, path string, wait time.Duration) (*Client, error) {
	over := time.After(wait)
	tick := time.NewTicker(dialInterval)
	defer tick.Stop()
	for {
		var d net.Dialer
		c, err := d.DialContext(ctx, "unix", path)
		if err == nil {
			return &Client{conn: c.(*net.UnixConn), in: bufio.NewReader(c)}, nil
		}
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errRefused) {
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

// explainDial adds to the error what to do about it.
func explainDial(path string, err error) error {
	what := "is cginit running, with a control socket there? --socket or CGINIT_SOCKET name another"
	if errors.Is(err, syscall.EACCES) {
		what = "only root and the supervisor's own user may open it"
	}
	return fmt.Errorf("no supervisor answers at %s: %w; %s", path, unwrapErrno(err), what)
}

// Close closes the connection. Runs that were started on it and are not detached are torn down.
func (c *Client) Close() error { return c.conn.Close() }

// Gone waits until the supervisor closes the connection.
func (c *Client) Gone(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })()
	_, err := io.Copy(io.Discard, c.in)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// callOne makes a call and returns its only reply.
func callOne[R any](ctx context.Context, c *Client, method string, p any) (*R, error) {
	for r, err := range callMore[R](ctx, c, request{Method: method}, p, nil) {
		return r, err
	}
	panic("control: a call without a reply or an error")
}

// callMore makes a call and yields its replies. If the caller stops before the last one, the
// connection cannot be used again.
func callMore[R any](ctx context.Context, c *Client, r request, p any, rights []byte) iter.Seq2[*R, error] {
	return func(yield func(*R, error) bool) {
		defer context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })()
		err := c.send(r, p, rights)
		for continues := true; continues; {
			var answer R
			// A call that could not be sent may still have been answered, for example with Busy.
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

// send writes a call. rights, a control message with files, goes with its first byte.
func (c *Client) send(r request, p any, rights []byte) error {
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
	message = append(message, 0)
	n := 0
	if len(rights) > 0 { // Windows has no such call for a stream
		n, _, err = c.conn.WriteMsgUnix(message, rights, nil)
	}
	if err == nil && n < len(message) {
		_, err = c.conn.Write(message[n:])
	}
	return err
}

// receive reads a reply into answer. continues is true if more replies follow. If the reply is an
// error, it has the type of that name, such as [NotFound].
func (c *Client) receive(answer any) (continues bool, err error) {
	message, err := c.in.ReadBytes(0)
	if err != nil {
		return false, fmt.Errorf("the supervisor has closed the connection: %w", unwrapErrno(err))
	}
	var r struct {
		Error      string          `json:"error"`
		Parameters json.RawMessage `json:"parameters"`
		Continues  bool            `json:"continues"`
	}
	if err := json.Unmarshal(message[:len(message)-1], &r); err != nil {
		return false, fmt.Errorf("cannot parse the supervisor's reply: %w", err)
	}
	if r.Error != "" {
		if decode := errorDecoders[r.Error]; decode != nil {
			return false, decode(r.Parameters)
		}
		return false, RemoteError{r.Error, r.Parameters}
	}
	if len(r.Parameters) == 0 {
		return r.Continues, nil
	}
	return r.Continues, json.Unmarshal(r.Parameters, answer)
}

// unwrapErrno returns the errno in an error, without what the packages in between have added. It
// returns the error itself if there is none.
func unwrapErrno(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}
