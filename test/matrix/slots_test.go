package matrix

import "sync"

// most is how many slots there are.
const most = 8

// slots limits how many cells run at the same time.
var slots = semaphore{taken: make(chan struct{}, most)}

type semaphore struct {
	// Only one caller takes slots at a time: two that each had half of theirs would wait for each
	// other.
	turn  sync.Mutex
	taken chan struct{}
}

// take waits for n slots and returns a function that gives them back.
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
