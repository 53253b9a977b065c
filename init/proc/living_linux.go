package proc

import (
	"errors"
	"time"
)

// ReadLiving reads one process. ok is false for a process that is dead or does not exist.
func ReadLiving(pid int) (p Process, ok bool) {
	p, err := Read(pid)
	return p, err == nil && !p.IsDead()
}

// Living reads the processes of a list and returns those that are alive, in the same order.
func Living(pids []int) []Process {
	var living []Process
	for _, pid := range pids {
		if p, ok := ReadLiving(pid); ok {
			living = append(living, p)
		}
	}
	return living
}

// listPatience bounds how long a list of running processes may take. If they take all of the CPU,
// the list would take until they are done, and a stop of the container has a deadline.
const listPatience = time.Second

// errSlow names listPatience in words, because a text with the number put in would need
// initialisation at run time.
var errSlow = errors.New("listing takes longer than 1s because others have the CPU: " +
	"there are more processes than the receipt says")

// Alive returns the pids of a list whose processes are alive, in the same order. begun is the time
// when the caller began to make the list. One second after it Alive gives up, and returns the pids
// that it has found with an error. It never gives up if frozen is true: frozen processes use no CPU.
func Alive(pids []int, frozen bool, begun time.Time) ([]int, error) {
	var alive []int
	for _, pid := range pids {
		if !frozen && time.Since(begun) > listPatience {
			return alive, errSlow
		}
		if _, ok := ReadLiving(pid); ok {
			alive = append(alive, pid)
		}
	}
	return alive, nil
}
