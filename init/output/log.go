package output

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Log writes cginit's own lines to stderr. If nobody reads, lines are dropped. Once they are read
// again, a line says how many were.
type Log struct {
	name    string
	json    bool
	out     *Outlet           // nil until there is something to say
	dropped int               // the number of lines that found no room
	said    map[string]string // the last complaint of each kind
}

// NewLog returns a log whose lines begin with name. format is "text" or "json".
func NewLog(name, format string) *Log {
	return &Log{name: name, json: format == "json", said: map[string]string{}}
}

// Printf writes one line. It does not block.
func (l *Log) Printf(format string, args ...any) {
	if l.out == nil {
		l.out = NewOutlet(Shared{os.Stderr})
	}
	if l.dropped > 0 && l.out.Put(l.line(fmt.Sprintf("%d lines were dropped: nobody read them", l.dropped))) {
		l.dropped = 0
	}
	if !l.out.Put(l.line(fmt.Sprintf(format, args...))) {
		l.dropped++
	}
}

// Complain writes that something (what) cannot be done. It writes each kind once, until the error
// changes. A nil error says that it can be done again, without a line. ESRCH counts as nil, because
// the process has ended meanwhile.
func (l *Log) Complain(what string, err error) {
	if errors.Is(err, unix.ESRCH) {
		err = nil
	}
	text := ""
	if err != nil {
		text = err.Error()
	}
	if l.said[what] == text {
		return
	}
	l.said[what] = text
	if text != "" {
		l.Printf("cannot %s: %s", what, text)
	}
}

// Room is [Outlet.Room] of the log.
func (l *Log) Room() <-chan struct{} { return l.out.Room() }

// Push is [Outlet.Push] of the log.
func (l *Log) Push() { l.out.Push() }

// Close writes the lines that wait. It gives up after [FlushWait].
func (l *Log) Close() {
	if l.out != nil {
		_ = l.out.Close(time.After(FlushWait)) // there is no place to report an error to
	}
}

// line returns the message as a line in the log's format.
func (l *Log) line(msg string) []byte {
	if l.json {
		return record{From: l.name, Msg: msg}.json()
	}
	return fmt.Appendf(nil, "%s: %s\n", l.name, msg)
}
