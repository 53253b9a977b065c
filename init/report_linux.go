package supervisor

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

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
func openReport(path string) (*outlet, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|unix.O_NONBLOCK, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot open the report: %w", err)
	}
	return newOutlet(f), nil
}

// receiptsKept is how many of the last receipts the termination log may show.
const receiptsKept = 16

// report tells the world of a receipt: the file, and a person, if there is anything to see. Of
// the steps and probes of a job it tells only what had to be killed.
func (s *Supervisor) report(run *run, r Receipt) {
	if run.role != roleMain && r.Killed+r.Unkillable == 0 {
		return
	}
	if len(s.receipts) == receiptsKept {
		s.receipts = slices.Delete(s.receipts, 0, 1)
	}
	s.receipts = append(s.receipts, r)
	if s.reports != nil && !s.reports.put(r.JSON()) {
		s.log.printf("cannot write the receipt: nobody reads the report")
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

// closeReports waits for the receipts to be written, and leaves their summary where Kubernetes
// shows it. That file is the container's, so only its process 1 writes it.
func (s *Supervisor) closeReports() {
	late := time.After(flushWait)
	if s.reports != nil {
		if err := s.reports.close(late); err != nil {
			s.log.printf("cannot write the receipt: %v", err)
		}
	}
	if !s.pid1 || len(s.receipts) == 0 && s.failure == nil {
		return
	}
	f, err := os.OpenFile(terminationLog, os.O_WRONLY|os.O_TRUNC|unix.O_NONBLOCK, 0)
	if err != nil {
		return // there is none
	}
	var text bytes.Buffer
	for _, r := range s.receipts {
		text.WriteString(strings.Join(r.Summary(), "\n") + "\n")
	}
	if s.failure != nil {
		fmt.Fprintf(&text, "cginit: %v\n", s.failure)
	}
	last := newOutlet(f)
	last.put(text.Bytes()[:min(text.Len(), terminationLogMost)])
	if err := last.close(late); err != nil {
		s.log.printf("cannot write %s: %v", terminationLog, err)
	}
}
