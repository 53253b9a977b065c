package control

import (
	"errors"
	"net"
	"slices"
	"time"
)

// Config says where a server listens and whom it answers.
type Config struct {
	// Path is the path of the socket.
	Path string
	// UIDs and GIDs are users and groups that may call, besides root and our own uid.
	UIDs []uint32
	GIDs []uint32
	// Version is the version of the program, for GetInfo.
	Version string
}

// Limits on connections: the supervisor must have descriptors left for what it forks, and many idle
// clients must not keep the next one out.
const (
	// maxConns is how many connections there can be as long as one of them has no open call. Beyond
	// it the oldest of those is ended for a new one.
	maxConns = 256
	// maxBusyConns is how many connections there can be if all of them have open calls.
	maxBusyConns = 512
	// maxOthers is how many connections of users other than root and our own uid there can be.
	maxOthers = 64
	// maxCalls is how many calls can be open on one connection.
	maxCalls = 16
	// maxFiles is how many descriptors can come with one message.
	maxFiles = 8
)

const (
	// refusalWait is how long a peer that may not call has for its first call, which is refused.
	refusalWait = 10 * time.Second
	// writeWait is how long a peer may take to read the bytes of one reply before it is cut off.
	writeWait = 10 * time.Second
	// acceptWait is the pause after an error of accept(2).
	acceptWait = 100 * time.Millisecond
	// closeWait is how long Close waits for replies to be written.
	closeWait = time.Second
)

// Server takes calls from clients and gives them to the supervisor's loop.
type Server struct {
	config   Config
	listener *net.UnixListener
	messages chan Message
	accepted chan *net.UnixConn
	ended    chan *Conn
	// large has one element for each connection with a large message.
	large chan struct{}
	// closing is closed by Close, closed when all connections have ended after that.
	closing chan struct{}
	closed  chan struct{}
}

// Listen makes the socket and begins to take calls. It replaces the socket of a server that has
// ended. The error says what to do about it.
func Listen(c Config) (*Server, error) {
	l, err := bind(c.Path, len(c.UIDs)+len(c.GIDs) > 0)
	if err != nil {
		return nil, err
	}
	s := &Server{
		config: c, listener: l,
		messages: make(chan Message), accepted: make(chan *net.UnixConn), ended: make(chan *Conn),
		large: make(chan struct{}, maxLarge), closing: make(chan struct{}), closed: make(chan struct{}),
	}
	go s.accept()
	go s.keepConns()
	return s, nil
}

// Messages returns the channel from which the loop reads calls. It is never closed.
func (s *Server) Messages() <-chan Message { return s.messages }

// Close removes the socket and ends all connections. It waits up to a second for the answers that
// have been given to be written. No more messages come.
func (s *Server) Close() error {
	err := s.listener.Close()
	close(s.closing)
	select {
	case <-s.closed:
	case <-time.After(closeWait):
	}
	return err
}

// tell gives a message to the loop. It returns false if the server is closing.
func (s *Server) tell(m Message) bool {
	select {
	case s.messages <- m:
		return true
	case <-s.closing:
		return false
	}
}

// accept gives new connections to keepConns.
func (s *Server) accept() {
	isFailing := false
	for {
		u, err := s.listener.AcceptUnix()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case (err != nil) != isFailing: // once for each change
			isFailing = err != nil
			if !s.tell(Message{Err: err}) {
				return
			}
		}
		if err != nil { // no descriptors or no memory, which may pass
			select {
			case <-time.After(acceptWait):
				continue
			case <-s.closing:
				return
			}
		}
		select {
		case s.accepted <- u:
		case <-s.closing:
			u.Close()
			return
		}
	}
}

// keepConns keeps the list of connections, the oldest first, and ends them all when the server closes.
func (s *Server) keepConns() {
	var conns []*Conn
	for {
		select {
		case u := <-s.accepted:
			conns = s.admit(conns, u)
		case c := <-s.ended:
			conns = removeConn(conns, c)
		case <-s.closing:
			for _, c := range conns {
				c.nudge()
			}
			for len(conns) > 0 {
				conns = removeConn(conns, <-s.ended)
			}
			close(s.closed)
			return
		}
	}
}

// admit begins to serve a connection and adds it to the list, or answers Busy.
func (s *Server) admit(conns []*Conn, u *net.UnixConn) []*Conn {
	c := newConn(s, u)
	others := 0
	for _, o := range conns {
		if !o.isOwn {
			others++
		}
	}
	if len(conns) >= maxBusyConns || !c.isOwn && others >= maxOthers {
		// This does not block: so few bytes fit into the buffer of a new socket.
		_, _ = u.Write(errorReply(Busy{"there are too many connections; try again"}).encode())
		u.Close()
		return conns
	}
	if len(conns) >= maxConns {
		oldest := conns[0]
		oldest.nudge()
		conns = append(conns[1:], oldest)
	}
	go c.read()
	return append(conns, c)
}

// removeConn removes a connection from a list.
func removeConn(conns []*Conn, c *Conn) []*Conn {
	return slices.DeleteFunc(conns, func(o *Conn) bool { return o == c })
}
