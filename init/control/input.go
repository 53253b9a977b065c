package control

import (
	"bytes"
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// roomToRead is what an idle connection holds. It grows for a message, and shrinks again.
const roomToRead = 4 << 10

// largeMessage is how much of a message any connection may hold, maxLarge how many may hold
// more.
const (
	largeMessage = 64 << 10
	maxLarge     = 16
)

// fill reads once. It returns false at the end of the connection.
func (c *Conn) fill() bool {
	if len(c.buf) == cap(c.buf) && !c.grow() {
		return c.refuse(Busy{"too many long messages are under way; try again"})
	}
	oob := make([]byte, unix.CmsgSpace(maxFiles*4))
	for {
		n, m, flags, _, err := c.unix.ReadMsgUnix(c.buf[len(c.buf):cap(c.buf)], oob)
		if errors.Is(err, os.ErrDeadlineExceeded) && !c.isExpendable() {
			_ = c.unix.SetReadDeadline(time.Time{})
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

// grow makes room for a longer message. Only a few connections at a time may hold much, or
// many half-sent messages would fill the memory.
func (c *Conn) grow() bool {
	room := min(2*cap(c.buf), MaxMessage)
	if room > largeMessage && !c.large {
		select {
		case c.server.large <- struct{}{}:
			c.large = true
		default:
			return false
		}
	}
	c.buf = append(make([]byte, 0, room), c.buf...)
	return true
}

func (c *Conn) shrink(room int) {
	c.buf = make([]byte, 0, room)
	if c.large {
		<-c.server.large
		c.large = false
	}
}

// takeAll takes the whole messages that are in the buffer. The descriptors of a read belong to
// the message that begins last in it, for the kernel ends a read after data that came with
// some.
func (c *Conn) takeAll() bool {
	if c.may != nil {
		return c.refuse(c.may)
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
	case len(rest) == 0 && cap(c.buf) > roomToRead:
		c.shrink(roomToRead)
	default:
		c.buf = c.buf[:copy(c.buf, rest)]
	}
	return true
}

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
