package control

import (
	"bytes"
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// idleBuffer is the buffer of a connection without a message, in bytes. It grows for a longer
	// message and shrinks after it.
	idleBuffer = 4 << 10
	// largeMessage is how many bytes of a message every connection may hold.
	largeMessage = 64 << 10
	// maxLarge is how many connections at a time may hold more than largeMessage.
	maxLarge = 16
)

// fill reads once into the buffer. It returns false if nothing more is to be taken from the
// connection: it has ended, or was refused.
func (c *Conn) fill() bool {
	if len(c.buf) == cap(c.buf) && !c.grow() {
		return c.refuse(Busy{"too many long messages are being sent; try again"})
	}
	oob := make([]byte, unix.CmsgSpace(maxFiles*4))
	for {
		n, m, flags, _, err := c.socket.ReadMsgUnix(c.buf[len(c.buf):cap(c.buf)], oob)
		if errors.Is(err, os.ErrDeadlineExceeded) && !c.isExpendable() {
			_ = c.socket.SetReadDeadline(time.Time{})
			continue
		}
		c.files = parseFiles(oob[:max(m, 0)])
		if err != nil || n <= 0 {
			return false
		}
		c.buf = c.buf[:len(c.buf)+n]
		if flags&unix.MSG_CTRUNC != 0 {
			return c.refuse(Malformed{"too many descriptors came with it"})
		}
		return true
	}
}

// grow doubles the buffer. It returns false if too many connections hold a large message: otherwise
// many half-sent messages could take all memory.
func (c *Conn) grow() bool {
	room := min(2*cap(c.buf), MaxMessage)
	if room > largeMessage && !c.isLarge {
		select {
		case c.server.large <- struct{}{}:
			c.isLarge = true
		default:
			return false
		}
	}
	c.buf = append(make([]byte, 0, room), c.buf...)
	return true
}

// shrink replaces the buffer by an empty one with room bytes.
func (c *Conn) shrink(room int) {
	c.buf = make([]byte, 0, room)
	if c.isLarge {
		<-c.server.large
		c.isLarge = false
	}
}

// takeAll takes the whole messages in the buffer and returns false if nothing more is to be taken
// from the connection.
//
// The descriptors of a read belong to the message that begins last in what was read: the kernel
// ends a read after data that came with descriptors.
func (c *Conn) takeAll() bool {
	if c.refusal != nil {
		return c.refuse(c.refusal)
	}
	at := 0
	for {
		end := bytes.IndexByte(c.buf[c.seen:], 0)
		if end < 0 {
			break
		}
		message := c.buf[at : c.seen+end]
		c.seen += end + 1
		at = c.seen
		files := c.early
		c.early = nil
		if at == len(c.buf) {
			files, c.files = append(files, c.files...), nil
		}
		if !c.take(message, files) {
			return false
		}
	}
	c.early, c.files = append(c.early, c.files...), nil
	rest := c.buf[at:]
	c.seen = len(rest)
	switch {
	case len(rest) >= MaxMessage:
		return c.refuse(Malformed{"it is longer than 1 MiB, or has no NUL at its end"})
	case len(c.early) > maxFiles:
		return c.refuse(Malformed{"too many descriptors came with it"})
	case len(rest) == 0 && cap(c.buf) > idleBuffer:
		c.shrink(idleBuffer)
	default:
		c.buf = c.buf[:copy(c.buf, rest)]
	}
	return true
}

// parseFiles returns the descriptors in control messages.
func parseFiles(oob []byte) (files []int) {
	messages, err := syscall.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	for i := range messages {
		if fds, err := syscall.ParseUnixRights(&messages[i]); err == nil {
			files = append(files, fds...)
		}
	}
	return files
}
