package output

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Log writes cginit's own lines to stderr. A reader that does not read loses lines, and is told
// how many as soon as it reads again.
type Log struct {
	name    string
	json    bool
	out     *Outlet           // nil until there is something to say
	dropped int               // lines that found no room
	said    map[string]string // the last complaint of each kind
}

// NewLog returns a log whose lines begin with a name. format is text or json.
func NewLog(name, format string) *Log {
	return &Log{name: name, json: format == "json", said: map[string]string{}}
}

// Printf writes one line.
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

// Complain writes that something cannot be done, once for each kind until the error changes. nil
// says that it can be done again. ESRCH counts as nil: the process has ended meanwhile.
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

// Close writes what is left, and waits no longer than [FlushWait] for it.
func (l *Log) Close() {
	if l.out != nil {
		_ = l.out.Close(time.After(FlushWait)) // there is nowhere to say it
	}
}

func (l *Log) line(msg string) []byte {
	if l.json {
		return record{From: l.name, Msg: msg}.json()
	}
	return fmt.Appendf(nil, "%s: %s\n", l.name, msg)
}
