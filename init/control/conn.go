package control

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// Conn is a connection. The loop holds leases by it.
type Conn struct {
	Peer Peer

	server *Server
	unix   *net.UnixConn
	own    bool          // root or our own uid
	may    error         // why the peer may not call; nil: it may
	order  chan *Call    // in the order of the wire, for the replies
	open   chan struct{} // one for each of them that is not answered
	gone   chan struct{} // closed when nobody can read replies any more
	told   bool          // the loop knows of it
	buf    []byte        // what has been read and is not a whole message yet
	seen   int           // so much of it has been looked through
	files  []int         // descriptors that came with the last read
	early  []int         // descriptors of the message that is not whole yet
	large  bool          // buf has outgrown largeMessage
	unread []*Call       // the loop's: those with replies that may not be written yet
}

func newConn(s *Server, u *net.UnixConn) *Conn {
	c := &Conn{server: s, unix: u, gone: make(chan struct{})}
	c.Peer, c.own, c.may = s.identify(u)
	return c
}

// nudge makes the reader look up: see isExpendable.
func (c *Conn) nudge() { _ = c.unix.SetReadDeadline(time.Unix(1, 0)) }

// cut ends the connection at once, and like shutdown(2) does not wait for who is reading or
// writing on it, as Close would.
func (c *Conn) cut() {
	_ = c.unix.CloseRead()
	_ = c.unix.CloseWrite()
}

func (c *Conn) isGone() bool {
	select {
	case <-c.gone:
		return true
	default:
		return false
	}
}

// read turns what comes in into calls, until the connection ends. Writing is begun only for
// who calls: an idle connection is one goroutine and one buffer.
func (c *Conn) read() {
	if c.may != nil {
		_ = c.unix.SetReadDeadline(time.Now().Add(firstCall))
	}
	c.shrink(roomToRead)
	for c.fill() && c.takeAll() {
	}
	closeAll(append(c.files, c.early...))
	c.shrink(0)
	if c.isHungUp() {
		close(c.gone)
	}
	if c.told {
		c.server.tell(Message{Conn: c})
	}
	if c.order != nil {
		close(c.order) // the writer ends the connection
		return
	}
	c.end()
}

func (c *Conn) end() {
	c.unix.Close()
	c.server.ended <- c
}

// isExpendable tells whether a connection that is nudged may end: the server is being closed,
// or nothing is asked on it, and others are waiting.
func (c *Conn) isExpendable() bool {
	select {
	case <-c.server.closing:
		return true
	default:
		return len(c.open) == 0 && c.poll(unix.POLLIN)&unix.POLLIN == 0
	}
}

// take makes a call of a message. It returns false if no more can be taken.
func (c *Conn) take(message []byte, files []int) bool {
	r, err := parseRequest(message)
	if err != nil {
		closeAll(files)
		return c.refuse(err)
	}
	call := newCall(c, r)
	if !call.Oneway && !c.enqueue(call) {
		closeAll(files)
		c.cut() // what came before may never be answered, so this cannot be
		return false
	}
	answer, err := c.server.prepare(call, r, files)
	switch {
	case err != nil:
		call.answer(errorReply(err))
	case answer != nil:
		call.answer(reply{Parameters: answer})
	default:
		c.told = true
		return c.server.tell(Message{Conn: c, Call: call})
	}
	return true
}

// refuse answers with an error what is not a call, after all that was called before, and ends
// the connection.
func (c *Conn) refuse(err error) bool {
	call := newCall(c, &request{})
	if c.enqueue(call) {
		call.answer(errorReply(err))
	}
	return false
}

// enqueue puts a call in the order of the replies.
func (c *Conn) enqueue(call *Call) bool {
	if c.order == nil {
		c.order, c.open = make(chan *Call, maxCalls+1), make(chan struct{}, maxCalls)
		go c.write()
	}
	select {
	case c.open <- struct{}{}:
		c.order <- call
		return true
	default:
		return false
	}
}

// write writes the replies, in the order of the calls, and ends the connection.
func (c *Conn) write() {
	failed := false
	for call := range c.order {
		for !failed {
			message, ok := call.next()
			if !ok {
				break
			}
			_ = c.unix.SetWriteDeadline(time.Now().Add(slowWrite))
			if _, err := c.unix.Write(message); err != nil {
				failed = true
				c.cut() // so that the reader ends as well
			}
		}
		<-c.open
	}
	c.end()
}

// next waits for the next reply; ok is false after the last, or if nobody is there to read it,
// or if there is nothing more to wait for.
func (c *Call) next() (message []byte, ok bool) {
	select {
	case message, ok = <-c.out:
		return message, ok
	default:
	}
	select {
	case message, ok = <-c.out:
		return message, ok
	case <-c.Conn.gone:
	case <-c.Conn.server.closing:
	}
	return nil, false
}

// isHungUp tells whether the other end is closed, and not only done with sending.
func (c *Conn) isHungUp() bool { return c.poll(unix.POLLRDHUP)&(unix.POLLHUP|unix.POLLERR) != 0 }

// poll asks the kernel what there is on the connection now. Where it cannot be asked we have
// closed it ourselves.
func (c *Conn) poll(events int16) int16 {
	p := []unix.PollFd{{Events: events}}
	err := control(c.unix, func(fd int) error {
		p[0].Fd = int32(fd)
		_, err := unix.Poll(p, 0)
		return err
	})
	if err != nil {
		return unix.POLLHUP
	}
	return p[0].Revents
}

func closeAll(files []int) {
	for _, fd := range files {
		_ = unix.Close(fd)
	}
}
