package engine

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// Transcript holds what a program has written so far, and a reader's place in it.
type Transcript struct {
	mu    sync.Mutex
	text  strings.Builder
	read  int
	grown chan struct{}
}

// Write appends to the transcript, so that a Transcript can be a command's Stdout.
func (s *Transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.grown != nil {
		close(s.grown)
		s.grown = nil
	}
	return s.text.Write(p)
}

// String returns the whole transcript.
func (s *Transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// find moves past the next want. If want is not there yet, it returns a channel to wait on.
func (s *Transcript) find(want string) (<-chan struct{}, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := strings.Index(s.text.String()[s.read:], want); at >= 0 {
		s.read += at + len(want)
		return nil, true
	}
	if s.grown == nil {
		s.grown = make(chan struct{})
	}
	return s.grown, false
}

// Until waits until want is written, after the text of earlier calls.
func (s *Transcript) Until(t testing.TB, want string) {
	t.Helper()
	deadline := time.After(Patience)
	for {
		grown, found := s.find(want)
		if found {
			return
		}
		select {
		case <-grown:
		case <-deadline:
			t.Fatalf("%q was not written in %s; the output so far:\n%s", want, Patience, s)
		}
	}
}
