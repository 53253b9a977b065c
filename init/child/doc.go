// Package child is the other side of the process boundary: the code that runs between the fork and
// the exec of a command, and what must be known before the fork. It has the exec helper, the identity
// that the helper takes, the search for the program, the errors of an exec with their exit statuses,
// and the probe of health checks by HTTP and TCP.
//
// The exec helper and the probe are our own binary, executed again. The first argument tells it which of them
// it is ([Run]).
package child
