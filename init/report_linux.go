package supervisor

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// terminationLog is where Kubernetes looks for a container's last words, and how many bytes
// of them it shows.
const (
	terminationLog     = "/dev/termination-log"
	terminationLogMost = 4096
)

// openReport opens the file for receipts. A FIFO without a reader fails instead of waiting
// for one.
func openReport(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|unix.O_NONBLOCK, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot open the report: %w", err)
	}
	return f, nil
}

// report tells the world of a receipt: the file, and a person, if there is anything to see.
func (s *Supervisor) report(r Receipt) {
	s.receipts = append(s.receipts, r)
	if s.file != nil {
		s.log.put(line{to: s.file, text: r.JSON(), fail: func(err error) {
			// On the goroutine that writes the log, so this is a write of its own.
			_, _ = os.Stderr.Write(s.log.render(fmt.Sprintf("cannot write the receipt: %v", err)))
		}})
	}
	switch {
	case r.Cause == startFailed:
		s.log.printf("%s", r.Error)
	case r.Unkillable > 0 || !s.config.Quiet && (!r.Clean() || s.config.Verbose):
		for _, text := range r.Summary() {
			s.log.printf("%s", text)
		}
	}
}

// lastWords leaves the receipts' summary where Kubernetes shows it. The file is the
// container's, so only its process 1 writes it.
func (s *Supervisor) lastWords() {
	if !s.pid1 {
		return
	}
	f, err := os.OpenFile(terminationLog, os.O_WRONLY|os.O_TRUNC|unix.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	var text bytes.Buffer
	for _, r := range s.receipts {
		text.WriteString(strings.Join(r.Summary(), "\n") + "\n")
	}
	s.log.put(line{to: f, text: text.Bytes()[:min(text.Len(), terminationLogMost)]})
}
