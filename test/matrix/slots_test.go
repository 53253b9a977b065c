package matrix

import "sync"

// most is how many slots there are.
const most = 8

// slots bound the cells that run at the same time.
var slots = semaphore{taken: make(chan struct{}, most)}

type semaphore struct {
	turn  sync.Mutex // one takes at a time: two with half of theirs would wait for each other
	taken chan struct{}
}

// take waits for n slots and returns what gives them back.
func (s *semaphore) take(n int) (give func()) {
	s.turn.Lock()
	defer s.turn.Unlock()
	for range n {
		s.taken <- struct{}{}
	}
	return func() {
		for range n {
			<-s.taken
		}
	}
}
