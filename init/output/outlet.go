package output

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// The bounds of the texts that wait to be written to one place, in number and in bytes.
const (
	outletRoom  = 64
	outletBytes = 64 << 10
)

// FlushWait is how long the end waits for readers that do not read.
const FlushWait = 200 * time.Millisecond

// Outlet writes to one place without ever making the loop wait: a goroutine of its own does the
// writing, and a reader that has stalled stalls only that goroutine. One goroutine uses an Outlet.
type Outlet struct {
	queue chan []byte
	room  chan struct{} // receives when a text has been written
	done  chan error    // receives the first error, once all is written
	wait  []byte        // what found no room in the queue
}

// NewOutlet returns an outlet that writes to a file or the like.
func NewOutlet(to io.Writer) *Outlet {
	o := &Outlet{queue: make(chan []byte, outletRoom), room: make(chan struct{}, 1), done: make(chan error, 1)}
	go o.write(to)
	return o
}

func (o *Outlet) write(to io.Writer) {
	var first error
	for text := range o.queue {
		if _, err := to.Write(text); err != nil && first == nil {
			first = err
		}
		select {
		case o.room <- struct{}{}:
		default:
		}
	}
	o.done <- first
}

// Put queues a text, and returns false if there is no room for it.
func (o *Outlet) Put(text []byte) bool {
	o.Push()
	if len(o.wait)+len(text) > outletBytes && len(o.wait) > 0 {
		return false
	}
	o.wait = append(o.wait, text...)
	o.Push()
	return true
}

// Push queues what waits for room, as one text, if there is room now.
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

// Room returns the channel that receives when a text that waits may find room: then Push is to be
// called. It is nil, which never receives, if nothing waits or o is nil.
func (o *Outlet) Room() <-chan struct{} {
	if o == nil || len(o.wait) == 0 {
		return nil
	}
	return o.room
}

// Close waits until all is written, or until late receives, for nobody may hold up the end. It
// returns the first error of a write.
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

var errNotRead = fmt.Errorf("nobody has read it for %s", FlushWait)

// Shared is an output that others write to as well, such as our stderr.
type Shared struct{ *os.File }

// Write waits for room, also where one of the others has made the file non-blocking: O_NONBLOCK
// belongs to the open file and not to the descriptor, and Node.js for one sets it.
func (f Shared) Write(text []byte) (written int, err error) {
	for written < len(text) {
		n, err := f.File.Write(text[written:])
		written += n
		switch {
		case err == nil:
		case !errors.Is(err, unix.EAGAIN):
			return written, err
		default:
			_, _ = unix.Poll([]unix.PollFd{{Fd: int32(f.Fd()), Events: unix.POLLOUT}}, -1)
		}
	}
	return written, nil
}
