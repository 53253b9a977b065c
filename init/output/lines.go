package output

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	// lineMost is how many bytes of a line are written as one; a longer line comes in parts.
	lineMost = 16 << 10
	// ReadRoom is how many bytes of a job's output are read at once.
	ReadRoom = 4 << 10
	// WordsKept is how many of the last lines of a job are kept, for the message that it failed.
	WordsKept = 5
	// wordsMost is how many bytes of each of them are kept.
	wordsMost = 256
)

// Source says whose lines they are and how they are written.
type Source struct {
	Job    string // the name that is shown
	Color  string // the name that the color is made of, where the output is a terminal; empty: no color
	Run    int
	Stream string // stdout or stderr
	JSON   bool   // one object a line; false: the job's name before each line
	TTY    bool   // what is read comes from a terminal, whose lines end with CR LF
}

// Turn is whose turn it is to write to an output that several goroutines share.
type Turn chan struct{}

// NewTurn returns a turn that nobody has.
func NewTurn() Turn { return make(Turn, 1) }

// Lines writes the lines of one stream of one run.
type Lines struct {
	to     io.Writer
	source Source
	color  string
	ending string   // of a line that is read
	last   []string // the last lines
	part   bool     // the line goes on from the last write
}

// NewLines returns the writer of a stream's lines.
func NewLines(to io.Writer, source Source) *Lines {
	w := &Lines{to: to, source: source, ending: "\n"}
	if source.TTY {
		w.ending = "\r\n"
	}
	if source.Color != "" && !source.JSON {
		hash := 0
		for _, c := range source.Color {
			hash = hash*31 + int(c)
		}
		w.color = fmt.Sprintf("\x1b[%dm", 31+hash%6)
	}
	return w
}

// Copy writes what it reads, line by line, until the end of what is read, and returns the last
// lines, [WordsKept] at most. Each line is written while Copy has the turn.
func (w *Lines) Copy(from io.Reader, turn Turn) (last []string) {
	in := bufio.NewReaderSize(from, ReadRoom)
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		goesOn := errors.Is(err, bufio.ErrBufferFull)
		if !goesOn && (len(line) > 0 || w.part) || len(line) >= lineMost {
			rest := 0
			if goesOn {
				rest = halfRune(line)
			}
			turn <- struct{}{}
			w.write(line[:len(line)-rest], !goesOn)
			<-turn
			line = append(line[:0], line[len(line)-rest:]...)
		}
		if err != nil && !goesOn {
			return w.last
		}
	}
}

// CopyRaw writes what it reads as it is, until the end of what is read. It has the turn while it
// writes.
func CopyRaw(to io.Writer, from io.Reader, turn Turn) {
	b := make([]byte, ReadRoom)
	for {
		n, err := from.Read(b)
		if n > 0 {
			turn <- struct{}{}
			_, _ = to.Write(b[:n])
			<-turn
		}
		if err != nil { // EIO of a terminal: nobody has its other end any more
			return
		}
	}
}

// write writes a line, or a part of one that is too long. What cannot be written is lost: its
// reader has gone.
func (w *Lines) write(line []byte, ended bool) {
	text := strings.TrimSuffix(string(line), w.ending)
	w.keep(text)
	s := &w.source
	switch {
	case s.JSON:
		_, _ = w.to.Write(record{Job: s.Job, Run: s.Run, Stream: s.Stream, Msg: text, Part: !ended}.json())
	case text != "" || !w.part: // a line that was written in parts needs no empty one for its end
		_, _ = w.to.Write(w.prefixed(text))
	}
	w.part = !ended
}

func (w *Lines) prefixed(text string) []byte {
	reset := ""
	if w.color != "" {
		reset = "\x1b[0m"
	}
	return fmt.Appendf(nil, "%s%s |%s %s\n", w.color, w.source.Job, reset, text)
}

// keep remembers the last lines.
func (w *Lines) keep(text string) {
	if len(w.last) == WordsKept {
		w.last = append(w.last[:0], w.last[1:]...)
	}
	w.last = append(w.last, strings.ToValidUTF8(text[:min(len(text), wordsMost)], ""))
}

// halfRune returns how many bytes at the end of a text are the beginning of a character, which
// must not be torn apart.
func halfRune(text []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if last := text[len(text)-n:]; utf8.RuneStart(last[0]) {
			if utf8.FullRune(last) {
				return 0
			}
			return n
		}
	}
	return 0
}
