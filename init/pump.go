package supervisor

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cginit/cginit/init/config"
)

const (
	lineMost  = 16 << 10 // bytes of a line that are written as one; a longer one comes in parts
	pumpRoom  = 4 << 10  // what is read at once
	wordsKept = 5        // the last lines of a job, for the message that it failed
	wordsMost = 256      // bytes of each that are kept
)

// pump reads what a job writes and writes it on, line by line, until nobody can write to it
// any more. A reader of ours that stalls makes the job wait, and not the loop.
type pump struct {
	open         int      // ends that are still read
	ours, theirs *os.File // of the job's terminal; nil: it has none
}

// isDry tells whether all that was written has been read, and written on.
func (p *pump) isDry() bool { return p == nil || p.open == 0 }

// connectPump gives a run two pipes that we read.
func (s *Supervisor) connectPump(r *run, d *stdio) error {
	p := &pump{}
	for _, stream := range []struct {
		name string
		fd   int
		to   *os.File
	}{{"stdout", 1, os.Stdout}, {"stderr", 2, os.Stderr}} {
		read, write, err := pipe()
		if err != nil {
			return err
		}
		if u := r.spec.User; u != nil { // it may open /dev/stdout again
			_ = write.Chown(int(u.UID), -1)
		}
		d.fds[stream.fd], d.theirs = int(write.Fd()), append(d.theirs, write)
		p.open++
		go s.pump(r, p, read, newLineWriter(r, stream.name, shared{stream.to}))
	}
	r.pump = p
	return nil
}

// pump is the goroutine of one pipe.
func (s *Supervisor) pump(r *run, p *pump, from *os.File, to *lineWriter) {
	defer from.Close()
	in := bufio.NewReaderSize(from, pumpRoom)
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		goesOn := errors.Is(err, bufio.ErrBufferFull)
		if !goesOn && (len(line) > 0 || to.part) || len(line) >= lineMost {
			rest := 0
			if goesOn {
				rest = halfRune(line)
			}
			s.output <- struct{}{} // whose turn it is to write
			to.write(line[:len(line)-rest], !goesOn)
			<-s.output
			line = append(line[:0], line[len(line)-rest:]...)
		}
		if err != nil && !goesOn {
			break
		}
	}
	s.post(func() {
		words := append(r.job.words, to.last...)
		r.job.words = slices.Clone(words[max(0, len(words)-wordsKept):])
		s.dried(r, p)
	})
}

// dried is told that nobody can write to one of the ends any more, and all is written on.
func (s *Supervisor) dried(r *run, p *pump) {
	p.open--
	if p.isDry() && r.state == removing {
		s.feed(r, evDeadline)
	}
}

// halfRune is how many bytes at the end of a text are the beginning of a character, which is
// not to be torn apart.
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

// lineWriter writes the lines of one stream of one run.
type lineWriter struct {
	to     io.Writer
	name   string
	stream string
	run    int
	json   bool
	color  string // before the name, on a terminal
	last   []string
	part   bool   // the line goes on from the last write
	ending string // of a line
}

func newLineWriter(r *run, stream string, to io.Writer) *lineWriter {
	w := &lineWriter{to: to, name: r.name, stream: stream, run: r.number, json: r.spec.Log == config.LogJSON, ending: "\n"}
	if r.spec.TTY {
		w.ending = "\r\n"
	}
	if !w.json && isTerminal(1) {
		hash := 0
		for _, c := range r.spec.Name {
			hash = hash*31 + int(c)
		}
		w.color = fmt.Sprintf("\x1b[%dm", 31+hash%6)
	}
	return w
}

// write writes a line, or a part of one that is too long. What cannot be written is lost: its
// reader has gone.
func (w *lineWriter) write(line []byte, ended bool) {
	text := strings.TrimSuffix(string(line), w.ending)
	w.keep(text)
	switch {
	case w.json:
		w.writeJSON(text, ended)
	case text != "" || !w.part: // the end of a line that is written already is nothing to write
		reset := ""
		if w.color != "" {
			reset = "\x1b[0m"
		}
		_, _ = fmt.Fprintf(w.to, "%s%s |%s %s\n", w.color, w.name, reset, text)
	}
	w.part = !ended
}

func (w *lineWriter) writeJSON(text string, ended bool) {
	data, err := json.Marshal(struct {
		Time   time.Time `json:"time"`
		Job    string    `json:"job"`
		Run    int       `json:"run"`
		Stream string    `json:"stream"`
		Msg    string    `json:"msg"`
		Part   bool      `json:"part,omitempty"` // the line goes on in the next object
	}{time.Now(), w.name, w.run, w.stream, text, !ended})
	if err == nil {
		_, _ = w.to.Write(append(data, '\n'))
	}
}

// keep remembers the last lines.
func (w *lineWriter) keep(text string) {
	if len(w.last) == wordsKept {
		w.last = append(w.last[:0], w.last[1:]...)
	}
	w.last = append(w.last, strings.ToValidUTF8(text[:min(len(text), wordsMost)], ""))
}

// lastWords is what the job wrote last, where it went through us, for a message.
func (s *Supervisor) lastWords(j *job) string {
	if len(j.words) == 0 {
		return ""
	}
	return "; its last lines: " + strings.Join(j.words, " | ")
}
