// Package proc reads what /proc says of processes. No other package parses /proc/PID.
//
// It only reads: it neither signals processes nor waits for them. Everything that it returns was
// true at the moment of reading. A process can end right after it, and its pid can then be given
// to another process.
//
// [Read], [Living], [Alive], [Below] and [All] are for the supervisor. [Reader] is for a holder,
// which walks its tree without a garbage collector and must not allocate memory.
//
// The package has no variables that need initialisation at run time: a holder goes to work before
// other packages are initialised.
package proc
