package supervisor

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

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
		go s.pump(r, p, read, newLineWriter(r, stream.name, stream.to))
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
		ended, over := err == nil, err != nil && !errors.Is(err, bufio.ErrBufferFull)
		if ended || len(line) >= lineMost || over && len(line) > 0 {
			s.output <- struct{}{} // whose turn it is to write
			to.write(line, ended)
			<-s.output
			line = line[:0]
		}
		if over {
			break
		}
	}
	s.post(func() {
		r.job.words = append(r.job.words, to.last...)
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

// lineWriter writes the lines of one stream of one run.
type lineWriter struct {
	to     *os.File
	name   string
	stream string
	run    int
	json   bool
	color  string // before the name, on a terminal
	last   []string
	part   bool   // the line goes on from the last write
	ending string // of a line
}

func newLineWriter(r *run, stream string, to *os.File) *lineWriter {
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
	if w.json {
		w.writeJSON(text, ended)
	} else {
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
	return "; its last lines: " + strings.Join(j.words[max(0, len(j.words)-wordsKept):], " | ")
}
