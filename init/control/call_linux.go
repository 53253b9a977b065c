package control

import "slices"

// Message is what the server tells the supervisor's loop. One of the fields says what it is about.
type Message struct {
	// Conn is the connection. If it is nil, the message is about the server: see Err.
	Conn *Conn
	// Call is a call on Conn. If it is nil, the connection has ended, and no more messages of it
	// come.
	Call *Call
	// Err says why no connection can be accepted for now. If it is nil, they are accepted again.
	Err error
}

// Call is a call of a method of our interface. The loop must answer it once, with Reply or Fail,
// even if the connection has ended. Before that it may call Continue. Only the loop may call these
// methods, and none of them blocks.
type Call struct {
	Method string // without the interface, such as MethodList
	// Params points to the parameters of the method, such as *ListParams.
	Params any
	Conn   *Conn
	// More is true if the caller accepts several replies.
	More bool
	// Oneway is true if the caller wants no reply. Reply, Fail and Continue then send nothing.
	Oneway bool

	// Files are the descriptors that came with a Run, all of them close-on-exec: none, a terminal,
	// or stdin, stdout and stderr. The loop may use them until CloseFiles or the answer. They are
	// not of the type os.File, which can change whether a file is non-blocking: the caller shares
	// that.
	Files []int

	// out has the replies to write. It is closed after the last one.
	out chan []byte
	// sizes are the lengths of the replies that were put into out last.
	sizes []int
	// isOver is true once the call has been answered or cut off.
	isOver bool
}

const (
	// maxEvents bounds the replies of one stream of events that wait for the caller to read.
	maxEvents = 1024
	// maxReplies bounds the replies of any other call that wait for the caller to read.
	maxReplies = 4
	// maxUnread bounds the bytes of all replies that wait on one connection. A single reply may be
	// longer.
	maxUnread = 512 << 10
)

// newCall makes a call from what has been read.
func newCall(c *Conn, r *request) *Call {
	call := &Call{Conn: c, More: r.More && !r.Oneway, Oneway: r.Oneway}
	switch {
	case call.Oneway:
	case call.More && r.Method == Interface+"."+MethodEvents:
		call.out = make(chan []byte, maxEvents)
	default:
		call.out = make(chan []byte, maxReplies)
	}
	return call
}

// Reply answers the call. v is the XReply of the method, or a pointer to it.
func (c *Call) Reply(v any) { c.finish(reply{Parameters: v}) }

// Fail answers the call with an error: an error type of this package, or [Failed] with the text of
// any other error.
func (c *Call) Fail(err error) { c.finish(errorReply(err)) }

// Continue sends a reply that is not the last one. It sends nothing if the caller accepts only one
// reply. It returns false if the caller has gone or has been cut off because it does not read.
func (c *Call) Continue(v any) bool {
	if c.More && !c.isOver {
		c.send(reply{Parameters: v, Continues: true})
	}
	return !c.isOver && !c.Conn.isGone()
}

// CloseFiles closes the descriptors in Files. It does not wait for that, because close(2) can
// block, for example on a network file system.
func (c *Call) CloseFiles() {
	if len(c.Files) > 0 {
		go closeAll(c.Files)
		c.Files = nil
	}
}

// finish sends the last reply.
func (c *Call) finish(r reply) {
	if c.isOver {
		return
	}
	c.CloseFiles()
	c.send(r)
	c.end()
}

// end says that no more replies come.
func (c *Call) end() {
	if !c.isOver && !c.Oneway {
		close(c.out)
	}
	c.isOver = true
}

// send queues a reply. If too many replies wait already, because the caller does not read, it ends
// the connection. The caller of Events sees by the numbers of the events what it has missed.
func (c *Call) send(r reply) {
	if c.Oneway {
		return
	}
	message := r.encode()
	if unread := c.Conn.countUnread(c); unread == 0 || unread+len(message) <= maxUnread {
		select {
		case c.out <- message:
			c.sizes = append(c.sizes, len(message))
			return
		default:
		}
	}
	c.end()
	c.Conn.cut()
}

// countUnread returns how many bytes of replies wait on the connection. It also counts those of the
// given call. The replies that are still in a channel are those that were put there last.
func (c *Conn) countUnread(of *Call) (bytes int) {
	if !slices.Contains(c.unread, of) {
		c.unread = append(c.unread, of)
	}
	c.unread = slices.DeleteFunc(c.unread, func(call *Call) bool {
		call.sizes = call.sizes[max(0, len(call.sizes)-len(call.out)):]
		for _, n := range call.sizes {
			bytes += n
		}
		return call.isOver && len(call.sizes) == 0
	})
	return bytes
}

// answerDirectly answers a call that the loop never sees.
func (c *Call) answerDirectly(r reply) {
	c.CloseFiles()
	if !c.Oneway {
		c.out <- r.encode() // this does not block: the channel of a new call is empty
		close(c.out)
	}
}
