package control

import "slices"

// Message is what the server tells the loop.
type Message struct {
	Conn *Conn // nil: it is about the server, see Err
	Call *Call // nil: the connection has ended, and nothing more comes of it
	Err  error // why no connection can be accepted for now; nil: they are again
}

// Call is a call of one of our methods. The loop answers it once, with Reply or Fail, whatever
// has become of the connection meanwhile; a stream that is never answered would hold it.
// Before that it may Continue. None of the three blocks, and all are the loop's alone.
type Call struct {
	Method string // without the interface, such as MethodList
	Params any    // a pointer to the method's parameters, such as *ListParams
	Conn   *Conn
	More   bool // the caller takes more than one reply
	Oneway bool // the caller takes none

	// Files are the descriptors that came with a Run, close-on-exec: none, a terminal, or
	// stdin, stdout and stderr. They are the loop's to use until CloseFiles or the answer.
	// They are plain numbers, for os.File would change the mode of what the caller shares.
	Files []int

	out   chan []byte // replies to write; closed after the last
	sizes []int       // of what was put there last
	over  bool
}

const (
	maxEvents  = 1024      // replies that wait for a caller to read, for one stream of events
	maxReplies = 4         // for another call
	maxUnread  = 512 << 10 // bytes of them on one connection, unless it is one reply
)

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

// Reply answers the call with a pointer to, or a value of, the method's XReply.
func (c *Call) Reply(v any) { c.finish(reply{Parameters: v}) }

// Fail answers the call with an error: one of those of the interface, or [Failed] with its
// text.
func (c *Call) Fail(err error) { c.finish(errorReply(err)) }

// Continue sends a reply that is not the last. To a caller who has not asked for more it sends
// nothing. It returns false when the caller has gone, or does not read and is cut off.
func (c *Call) Continue(v any) bool {
	if c.More && !c.over {
		c.send(reply{Parameters: v, Continues: true})
	}
	return !c.over && !c.Conn.isGone()
}

// CloseFiles closes what is left of Files. A close can block, on a network's file for
// example, so it is not done here.
func (c *Call) CloseFiles() {
	if len(c.Files) > 0 {
		go closeAll(c.Files)
		c.Files = nil
	}
}

func (c *Call) finish(r reply) {
	if c.over {
		return
	}
	c.CloseFiles()
	c.send(r)
	c.end()
}

func (c *Call) end() {
	if !c.over && !c.Oneway {
		close(c.out)
	}
	c.over = true
}

// send queues a reply. A caller who does not read gets no more of them: the connection ends,
// and with events the numbers tell what was missed.
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

// countUnread returns how many bytes of replies wait on the connection, of this call too. What
// a channel still holds are the last that were put there.
func (c *Conn) countUnread(of *Call) (bytes int) {
	if !slices.Contains(c.unread, of) {
		c.unread = append(c.unread, of)
	}
	c.unread = slices.DeleteFunc(c.unread, func(call *Call) bool {
		call.sizes = call.sizes[max(0, len(call.sizes)-len(call.out)):]
		for _, n := range call.sizes {
			bytes += n
		}
		return call.over && len(call.sizes) == 0
	})
	return bytes
}

// answer is for a call that the loop never sees.
func (c *Call) answer(r reply) {
	c.CloseFiles()
	if !c.Oneway {
		c.out <- r.encode() // it has room for one
		close(c.out)
	}
}
