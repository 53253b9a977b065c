package output

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// The bounds of what waits to be written to one place: outletRoom texts in the queue, and
// outletBytes bytes after them.
const (
	outletRoom  = 64
	outletBytes = 64 << 10
)

// FlushWait is how long the end of cginit waits for readers that do not read.
const FlushWait = 200 * time.Millisecond

// Outlet writes to one place without making the loop wait. Its own goroutine writes, and a reader
// that has stalled stalls only that goroutine. An Outlet must be used by one goroutine only.
type Outlet struct {
	queue chan []byte
	room  chan struct{} // receives when a text has been written
	done  chan error    // receives the first error once everything is written
	wait  []byte        // the text that found no room in the queue
}

// NewOutlet returns an outlet that writes to to.
func NewOutlet(to io.Writer) *Outlet {
	o := &Outlet{queue: make(chan []byte, outletRoom), room: make(chan struct{}, 1), done: make(chan error, 1)}
	go o.write(to)
	return o
}

// atomicWrite is how many bytes no other writer of a pipe can interrupt (PIPE_BUF).
const atomicWrite = 4096

// write runs in a goroutine: it writes the texts of the queue until the queue is closed, and as many
// at once as stay in one piece.
func (o *Outlet) write(to io.Writer) {
	var first error
	for text := range o.queue {
		for more := true; more; {
			var next []byte
			if next, more = o.next(); more && len(text)+len(next) <= atomicWrite {
				text = append(text, next...)
				continue
			}
			if _, err := to.Write(text); err != nil && first == nil {
				first = err
			}
			select {
			case o.room <- struct{}{}:
			default:
			}
			text = next
		}
	}
	o.done <- first
}

// next returns the next text of the queue; ok is false if none waits.
func (o *Outlet) next() (text []byte, ok bool) {
	select {
	case text, ok = <-o.queue:
		return text, ok
	default:
		return nil, false
	}
}

// Put queues a text. It returns false, and drops the text, if there is no room for it.
func (o *Outlet) Put(text []byte) bool {
	o.Push()
	if len(o.wait)+len(text) > outletBytes && len(o.wait) > 0 {
		return false
	}
	o.wait = append(o.wait, text...)
	o.Push()
	return true
}

// Push moves the text that waits into the queue if there is room.
func (o *Outlet) Push() {
	if len(o.wait) == 0 {
		return
	}
	select {
	case o.queue <- o.wait:
		o.wait = nil
	default:
	}
}

// Room returns a channel that receives when the caller should call Push, because there may be room.
// It returns nil, which never receives, if nothing waits. o may be nil.
func (o *Outlet) Room() <-chan struct{} {
	if o == nil || len(o.wait) == 0 {
		return nil
	}
	return o.room
}

// Close waits until everything is written, or until late receives, because no reader may hold up
// the end. It returns the first error of a write, or an error if late has received.
func (o *Outlet) Close(late <-chan time.Time) error {
	for len(o.wait) > 0 {
		select {
		case o.queue <- o.wait:
			o.wait = nil
		case <-late:
			return errNotRead
		}
	}
	close(o.queue)
	select {
	case err := <-o.done:
		return err
	case <-late:
		return errNotRead
	}
}

// errNotRead is the error of texts that were not read in time.
var errNotRead = fmt.Errorf("nobody has read it for %s", FlushWait)

// Shared is a file that other programs write to as well, such as our stderr.
type Shared struct{ *os.File }

// Write writes the whole text, and waits for room if needed. It also waits on a file that another
// program has made non-blocking, as Node.js does: O_NONBLOCK belongs to the open file and not to
// the descriptor.
//
// The method of [os.File] would end this process if its stdout or stderr has no reader (EPIPE).
func (f Shared) Write(text []byte) (written int, err error) {
	fd := int(f.Fd())
	for written < len(text) {
		n, err := unix.Write(fd, text[written:])
		written += max(n, 0)
		switch err {
		case nil, unix.EINTR:
		case unix.EAGAIN:
			_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, -1)
		default:
			return written, &os.PathError{Op: "write", Path: f.Name(), Err: err}
		}
	}
	return written, nil
}
