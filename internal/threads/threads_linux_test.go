package threads

import (
	"os"
	"testing"
)

// TestReserve checks that the threads are there afterwards.
func TestReserve(t *testing.T) {
	const n = 20
	if err := Reserve(n); err != nil {
		t.Fatal(err)
	}
	all, err := os.ReadDir("/proc/self/task")
	if err != nil || len(all) < n {
		t.Errorf("%d threads, %v; want at least %d", len(all), err, n)
	}
}
