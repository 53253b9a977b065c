package control

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// Conn is a connection of a client. Leases belong to it.
type Conn struct {
	// Peer is the process that has connected.
	Peer Peer

	server *Server
	socket *net.UnixConn
	isOwn  bool // the peer is root or has our own uid
	// refusal says why the peer may not call. It is nil if the peer may.
	refusal error
	// order has the calls in the order in which they came, for the replies.
	order chan *Call
	// open has one element for each call in order that has not been answered.
	open chan struct{}
	// gone is closed when nobody can read replies any more.
	gone chan struct{}
	// isTold is true once the loop has had a message of this connection.
	isTold bool

	// buf is what has been read and is not a whole message yet. The first seen bytes of it contain
	// no NUL.
	buf  []byte
	seen int
	// files came with the last read, early with the message that is not whole yet.
	files []int
	early []int
	// isLarge is true if buf has grown beyond largeMessage.
	isLarge bool

	// unread are the calls with replies that may not have been written yet. The loop owns it.
	unread []*Call
}

// newConn makes a connection and finds out whether the peer may call.
func newConn(s *Server, u *net.UnixConn) *Conn {
	c := &Conn{server: s, socket: u, gone: make(chan struct{})}
	c.Peer, c.isOwn, c.refusal = s.identify(u)
	return c
}

// nudge interrupts the reader, which then ends the connection if isExpendable returns true.
func (c *Conn) nudge() { _ = c.socket.SetReadDeadline(time.Unix(1, 0)) }

// cut ends the connection at once. Unlike Close it does not wait for the goroutines that are
// reading or writing.
func (c *Conn) cut() {
	_ = c.socket.CloseRead()
	_ = c.socket.CloseWrite()
}

// isGone reports whether nobody can read replies any more.
func (c *Conn) isGone() bool {
	select {
	case <-c.gone:
		return true
	default:
		return false
	}
}

// read turns what comes in into calls, until the connection ends. The goroutine that writes begins
// with the first call, so that an idle connection costs one goroutine and one buffer.
func (c *Conn) read() {
	if c.refusal != nil {
		_ = c.socket.SetReadDeadline(time.Now().Add(refusalWait))
	}
	c.shrink(idleBuffer)
	for c.fill() && c.takeAll() {
	}
	closeAll(append(c.files, c.early...))
	c.shrink(0)
	if c.isHungUp() {
		close(c.gone)
	}
	if c.isTold {
		c.server.tell(Message{Conn: c})
	}
	if c.order != nil {
		close(c.order) // the writer ends the connection
		return
	}
	c.end()
}

// end closes the connection and tells the server.
func (c *Conn) end() {
	c.socket.Close()
	c.server.ended <- c
}

// isExpendable reports whether a connection may be ended when it is nudged: if the server is
// closing, or if the connection has no open call and nothing to read.
func (c *Conn) isExpendable() bool {
	select {
	case <-c.server.closing:
		return true
	default:
		return len(c.open) == 0 && c.poll(unix.POLLIN)&unix.POLLIN == 0
	}
}

// take makes a call from a message and gives it to the loop, or answers it. It returns false if
// nothing more can be taken from this connection.
func (c *Conn) take(message []byte, files []int) bool {
	r, err := parseRequest(message)
	if err != nil {
		closeAll(files)
		return c.refuse(err)
	}
	call := newCall(c, r)
	if !call.Oneway && !c.enqueue(call) {
		closeAll(files)
		c.cut() // an error would wait for the answers to all calls before it, which may never come
		return false
	}
	answer, err := c.server.prepare(call, r, files)
	switch {
	case err != nil:
		call.answerDirectly(errorReply(err))
	case answer != nil:
		call.answerDirectly(reply{Parameters: answer})
	default:
		c.isTold = true
		return c.server.tell(Message{Conn: c, Call: call})
	}
	return true
}

// refuse sends an error for something that is not a call, after the replies to all calls before it.
// It returns false: nothing more is taken from this connection.
func (c *Conn) refuse(err error) bool {
	call := newCall(c, &request{})
	if c.enqueue(call) {
		call.answerDirectly(errorReply(err))
	}
	return false
}

// enqueue appends a call to the order of the replies. It returns false if too many calls are open.
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

// write writes the replies in the order of the calls, and ends the connection.
func (c *Conn) write() {
	hasFailed := false
	for call := range c.order {
		for !hasFailed {
			message, ok := call.next()
			if !ok {
				break
			}
			_ = c.socket.SetWriteDeadline(time.Now().Add(writeWait))
			if _, err := c.socket.Write(message); err != nil {
				hasFailed = true
				c.cut() // so that the reader ends as well
			}
		}
		<-c.open
	}
	c.end()
}

// next waits for the next reply. ok is false after the last one, and also if nobody can read it or
// the server is closing.
func (c *Call) next() (message []byte, ok bool) {
	// A reply that is there is written even if the server is closing.
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

// isHungUp reports whether the peer has closed the connection. It is false if the peer has only
// ended its sending direction.
func (c *Conn) isHungUp() bool { return c.poll(unix.POLLRDHUP)&(unix.POLLHUP|unix.POLLERR) != 0 }

// poll returns which of the events the kernel reports for the connection now, without waiting. It
// returns POLLHUP if we have closed the connection ourselves.
func (c *Conn) poll(events int16) int16 {
	p := []unix.PollFd{{Events: events}}
	err := withDescriptor(c.socket, func(fd int) error {
		p[0].Fd = int32(fd)
		_, err := unix.Poll(p, 0)
		return err
	})
	if err != nil {
		return unix.POLLHUP
	}
	return p[0].Revents
}

// closeAll closes descriptors.
func closeAll(files []int) {
	for _, fd := range files {
		_ = unix.Close(fd)
	}
}
