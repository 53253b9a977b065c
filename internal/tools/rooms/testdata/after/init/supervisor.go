package supervisor

import "io"

// Supervisor has three fields with names of their own and an embedded one.
type Supervisor struct {
	io.Reader
	a, b int
	log  *log
}

func (s *Supervisor) start() { s.stop() }

func (s Supervisor) empty() bool { return s.a == 0 }

var spare log
