package engine

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// Transcript is what a program has written so far, and a reader's place in it.
type Transcript struct {
	mu    sync.Mutex
	text  strings.Builder
	read  int
	grown chan struct{}
}

// Write adds to it; a Transcript can be a command's Stdout.
func (s *Transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.grown != nil {
		close(s.grown)
		s.grown = nil
	}
	return s.text.Write(p)
}

// String is all of it.
func (s *Transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// find moves past the next want, or returns what to wait on.
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

// Until waits for want to be written after what earlier calls waited for.
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
			t.Fatalf("%q was not written in %s; what was:\n%s", want, Patience, s)
		}
	}
}
