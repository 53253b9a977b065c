package supervisor

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// outletRoom bounds the texts that wait to be written to one place, in number and in bytes.
const (
	outletRoom  = 64
	outletBytes = 64 << 10
)

// flushWait is how long the end waits for readers that do not read.
const flushWait = 200 * time.Millisecond

// outlet writes to one place without ever making the loop wait: a goroutine of its own does
// the writing, and a reader that has stalled stalls only that.
type outlet struct {
	queue chan []byte
	room  chan struct{} // there is some again
	done  chan error    // the first error, once all is written
	wait  []byte        // what found no room in the queue; the loop's
}

func newOutlet(to io.Writer) *outlet {
	o := &outlet{queue: make(chan []byte, outletRoom), room: make(chan struct{}, 1), done: make(chan error, 1)}
	go func() {
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
	}()
	return o
}

// put queues a text, unless there is no room.
func (o *outlet) put(text []byte) bool {
	o.push()
	if len(o.wait)+len(text) > outletBytes && len(o.wait) > 0 {
		return false
	}
	o.wait = append(o.wait, text...)
	o.push()
	return true
}

// push queues what waits, as one text.
func (o *outlet) push() {
	if len(o.wait) == 0 {
		return
	}
	select {
	case o.queue <- o.wait:
		o.wait = nil
	default:
	}
}

// more is what the loop waits for when something waits for room; nil: nothing does.
func (o *outlet) more() <-chan struct{} {
	if o == nil || len(o.wait) == 0 {
		return nil
	}
	return o.room
}

// close waits until all is written, or until late fires: nobody may hold up the end.
func (o *outlet) close(late <-chan time.Time) error {
	for len(o.wait) > 0 {
		select {
		case o.queue <- o.wait:
			o.wait = nil
		case <-late:
			return fmt.Errorf("nobody has read it for %s", flushWait)
		}
	}
	close(o.queue)
	select {
	case err := <-o.done:
		return err
	case <-late:
		return fmt.Errorf("nobody has read it for %s", flushWait)
	}
}

// shared is an output that others write to as well.
type shared struct{ *os.File }

// Write waits for room, also where one of those has made writing not wait: O_NONBLOCK is the
// open file's and not the descriptor's, and Node.js for one sets it.
func (f shared) Write(text []byte) (written int, err error) {
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

// log writes lines to stderr.
type log struct {
	name    string
	json    bool
	out     *outlet // nil until there is something to say
	dropped int     // lines that found no room
}

func newLog(name, format string) *log {
	return &log{name: name, json: format == "json"}
}

func (l *log) printf(format string, args ...any) {
	if l.out == nil {
		l.out = newOutlet(shared{os.Stderr})
	}
	if l.dropped > 0 && l.out.put(l.line(fmt.Sprintf("%d lines were dropped: nobody read them", l.dropped))) {
		l.dropped = 0
	}
	if !l.out.put(l.line(fmt.Sprintf(format, args...))) {
		l.dropped++
	}
}

func (l *log) line(msg string) []byte {
	if !l.json {
		return fmt.Appendf(nil, "%s: %s\n", l.name, msg)
	}
	// Strings alone: this cannot fail.
	text, err := json.Marshal(struct {
		Time time.Time `json:"time"`
		From string    `json:"from"`
		Msg  string    `json:"msg"`
	}{time.Now(), l.name, msg})
	if err != nil {
		panic(err)
	}
	return append(text, '\n')
}

// close writes what is left.
func (l *log) close() {
	if l.out != nil {
		_ = l.out.close(time.After(flushWait)) // there is nowhere to say it
	}
}
