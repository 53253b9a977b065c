package output

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// The bounds of the output of a job.
const (
	// lineMost is the number of bytes at which a line is written; a longer line comes in parts.
	lineMost = 16 << 10
	// ReadRoom is how many bytes of a job's output are read at once.
	ReadRoom = 4 << 10
	// WordsKept is how many of the last lines of a job are kept, for the message that it failed.
	WordsKept = 5
	// wordsMost is how many bytes of each of those lines are kept.
	wordsMost = 256
)

// Source says where lines come from and how they are written.
type Source struct {
	Job    string // the name that is shown
	Color  string // the name that the color is computed from; empty: no color
	Run    int    // the number of the run
	Stream string // stdout or stderr
	JSON   bool   // write one object per line; false: write the job's name before each line
	TTY    bool   // the lines come from a terminal and end with CR LF
}

// Turn is the right to write to an output that several goroutines share. One of them has it at a
// time.
type Turn chan struct{}

// NewTurn returns a turn that no goroutine has.
func NewTurn() Turn { return make(Turn, 1) }

// Lines writes the lines of one stream of one run.
type Lines struct {
	to     io.Writer
	source Source
	color  string   // the escape sequence before the name; empty: none
	ending string   // the end of a line that is read
	last   []string // the last lines, at most WordsKept
	part   bool     // the last write was a part of a line that goes on
}

// NewLines returns a writer for the lines of one stream.
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

// Copy writes what it reads, line by line, until from ends, and returns the last lines, at most
// [WordsKept]. It has the turn while it writes a line.
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

// CopyRaw writes what it reads unchanged, until from ends. It has the turn while it writes.
func CopyRaw(to io.Writer, from io.Reader, turn Turn) {
	b := make([]byte, ReadRoom)
	for {
		n, err := from.Read(b)
		if n > 0 {
			turn <- struct{}{}
			_, _ = to.Write(b[:n])
			<-turn
		}
		if err != nil { // a terminal returns EIO when nobody has its other end open
			return
		}
	}
}

// write writes a line, or a part of one that is too long. If it cannot be written it is lost: its
// reader has gone.
func (w *Lines) write(line []byte, ended bool) {
	text := strings.TrimSuffix(string(line), w.ending)
	w.keep(text)
	s := &w.source
	switch {
	case s.JSON:
		_, _ = w.to.Write(record{Job: s.Job, Run: s.Run, Stream: s.Stream, Msg: text, Part: !ended}.json())
	case text != "" || !w.part: // the end of a line in parts needs no empty line
		_, _ = w.to.Write(w.prefixed(text))
	}
	w.part = !ended
}

// prefixed returns the text after the job's name, with a newline.
func (w *Lines) prefixed(text string) []byte {
	reset := ""
	if w.color != "" {
		reset = "\x1b[0m"
	}
	return fmt.Appendf(nil, "%s%s |%s %s\n", w.color, w.source.Job, reset, text)
}

// keep adds a line to the last lines, without bytes that are not UTF-8.
func (w *Lines) keep(text string) {
	if len(w.last) == WordsKept {
		w.last = append(w.last[:0], w.last[1:]...)
	}
	w.last = append(w.last, strings.ToValidUTF8(text[:min(len(text), wordsMost)], ""))
}

// halfRune returns how many bytes at the end of a text are an incomplete character, which must not
// be torn apart.
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
