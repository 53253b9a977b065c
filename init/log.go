package supervisor

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"
)

// logRoom bounds the lines that wait for a reader; what finds no room is counted and dropped.
const logRoom = 256

// flushWait is how long the end waits for a reader that does not read.
const flushWait = 200 * time.Millisecond

// log writes lines without ever making the loop wait: one goroutine does the writing, and a
// reader that has stalled stalls only that.
type log struct {
	name    string
	json    bool
	queue   chan line
	done    chan struct{}
	dropped int
}

// line is something to write, and where.
type line struct {
	to   io.Writer
	text []byte
	fail func(error) // told what went wrong, on the writing goroutine; may be nil
}

func newLog(name, format string) *log {
	return &log{name: name, json: format == "json"}
}

// printf writes one line to stderr.
func (l *log) printf(format string, args ...any) {
	l.put(line{to: os.Stderr, text: l.render(fmt.Sprintf(format, args...))})
}

func (l *log) render(msg string) []byte {
	if !l.json {
		return fmt.Appendf(nil, "%s: %s\n", l.name, msg)
	}
	// Strings alone: this cannot fail.
	text, err := json.Marshal(struct {
		Time time.Time `json:"time"`
		From string    `json:"from"`
		Msg  string    `json:"msg"`
	}{time.Now(), l.name, msg})
	if err != nil {
		panic(err)
	}
	return append(text, '\n')
}

func (l *log) put(ln line) {
	if l.queue == nil { // most runs have nothing to say: the goroutine comes with the first line
		l.queue, l.done = make(chan line, logRoom), make(chan struct{})
		go write(l.queue, l.done)
	}
	if l.dropped > 0 {
		note := line{to: os.Stderr, text: l.render(fmt.Sprintf("%d lines were dropped: nobody read them", l.dropped))}
		if !l.offer(note) {
			l.dropped++
			return
		}
		l.dropped = 0
	}
	if !l.offer(ln) {
		l.dropped++
	}
}

func (l *log) offer(ln line) bool {
	select {
	case l.queue <- ln:
		return true
	default:
		return false
	}
}

// flush ends the log when all is written, or after flushWait: nobody may hold up the end.
func (l *log) flush() {
	if l.queue == nil {
		return
	}
	close(l.queue)
	timer := time.NewTimer(flushWait)
	select {
	case <-l.done:
	case <-timer.C:
	}
}

func write(queue <-chan line, done chan<- struct{}) {
	defer close(done)
	for ln := range queue {
		if _, err := ln.to.Write(ln.text); err != nil && ln.fail != nil {
			ln.fail(err)
		}
	}
}
