// Package hold keeps the processes of a run together, from the fork of the main process until nothing
// of the run is left.
//
// A [Home] makes the [Containment] of each run, the best that this place allows. Its [Level] says
// what it is and what it promises. A containment starts the main process, lists, signals, freezes
// and kills the processes of the run, and knows when none is left. [Home.Reaped] takes the results of
// wait4 for the children that this package knows: main processes, holders, the spare holder and the
// guardian.
//
// Only one goroutine, the supervisor's loop, calls this package. No call blocks. A result that takes
// time goes to a [Listener], which is called in the loop as well. The goroutines of this package turn
// one blocking read into one message each, and hold no state.
package hold
