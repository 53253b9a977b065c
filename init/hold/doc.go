// Package hold keeps a run's processes together, from the fork of the main process until nothing of
// the run is left.
//
// [Home] is where runs get their [Containment], the best that the place gives: a [Level] says which
// it is and what it promises. A containment starts the main process, lists, signals, freezes and
// kills what it holds, and knows when nothing is left. [Home.Reaped] takes what wait4 says of the
// processes that belong to this package: main processes, holders, the spare holder, the guardian.
//
// One goroutine, the supervisor's loop, calls everything here. None of the calls blocks. What takes
// time is told to a [Listener], in the loop as well. The goroutines of this package turn one
// blocking read into one message each, and hold no state.
package hold
