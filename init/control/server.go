package control

import (
	"errors"
	"net"
	"slices"
	"time"
)

// Config is where a server listens and whom it answers.
type Config struct {
	Path    string   // of the socket
	UIDs    []uint32 // who may call besides root and our own uid,
	GIDs    []uint32 // and members of these groups
	Version string   // of the program
}

// The bounds. What the supervisor forks must find descriptors left, and a crowd at the door
// must not keep the next one out: beyond maxConns the oldest connection without an open call
// gives way, and only where all have one are there more, up to maxCrowd.
const (
	maxConns  = 256
	maxCrowd  = 512
	maxOthers = 64 // connections of those who are neither root nor our own uid, all together
	maxCalls  = 16 // open calls on one connection
	maxFiles  = 8  // descriptors with one message

	firstCall  = 10 * time.Second // a peer who may not call is told so when it calls
	slowWrite  = 10 * time.Second // a peer that takes no byte for so long does not read
	acceptWait = 100 * time.Millisecond
	closeWait  = time.Second
)

// Server takes calls and hands them to the loop.
type Server struct {
	config   Config
	listener *net.UnixListener
	messages chan Message
	accepted chan *net.UnixConn
	ended    chan *Conn
	large    chan struct{} // one for each connection with a large message
	closing  chan struct{} // closed by Close
	closed   chan struct{} // closed when all connections have ended
}

// Listen binds the socket and begins to take calls. It replaces the socket of a server that
// has gone.
func Listen(c Config) (*Server, error) {
	l, err := bind(c.Path, len(c.UIDs)+len(c.GIDs) > 0)
	if err != nil {
		return nil, err
	}
	s := &Server{
		config: c, listener: l,
		messages: make(chan Message), accepted: make(chan *net.UnixConn), ended: make(chan *Conn), large: make(chan struct{}, maxLarge),
		closing: make(chan struct{}), closed: make(chan struct{}),
	}
	go s.accept()
	go s.keep()
	return s, nil
}

// Messages is where calls arrive. It is never closed.
func (s *Server) Messages() <-chan Message { return s.messages }

// Close removes the socket and ends all connections, after what was answered is written: it
// waits up to a second for that. Nothing comes from Messages any more.
func (s *Server) Close() error {
	err := s.listener.Close()
	close(s.closing)
	select {
	case <-s.closed:
	case <-time.After(closeWait):
	}
	return err
}

// tell hands a message to the loop, unless the server is being closed.
func (s *Server) tell(m Message) bool {
	select {
	case s.messages <- m:
		return true
	case <-s.closing:
		return false
	}
}

// accept turns connections into messages for keep.
func (s *Server) accept() {
	failing := false
	for {
		u, err := s.listener.AcceptUnix()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case (err != nil) != failing: // said once
			failing = err != nil
			if !s.tell(Message{Err: err}) {
				return
			}
		}
		if err != nil { // no descriptors, no memory: it passes
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

// keep knows how many connections there are, the oldest first.
func (s *Server) keep() {
	var conns []*Conn
	for {
		select {
		case u := <-s.accepted:
			conns = s.admit(conns, u)
		case c := <-s.ended:
			conns = remove(conns, c)
		case <-s.closing:
			for _, c := range conns {
				c.nudge()
			}
			for len(conns) > 0 {
				conns = remove(conns, <-s.ended)
			}
			close(s.closed)
			return
		}
	}
}

// admit begins a connection, or says why there is no room for it.
func (s *Server) admit(conns []*Conn, u *net.UnixConn) []*Conn {
	c := newConn(s, u)
	others := 0
	for _, o := range conns {
		if !o.own {
			others++
		}
	}
	if len(conns) >= maxCrowd || !c.own && others >= maxOthers {
		// The socket is fresh: so few bytes do not block.
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

func remove(conns []*Conn, c *Conn) []*Conn {
	return slices.DeleteFunc(conns, func(o *Conn) bool { return o == c })
}
