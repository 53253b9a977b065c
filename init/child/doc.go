// Package child is the other side of the process boundary: what happens between the fork and the
// exec of a command, and what is known of it before the fork. It has the exec helper, the identity
// that the helper takes, the search for the program, the errors of an exec with their exit
// statuses, and the probe of health checks by HTTP and TCP.
//
// Processes of ours that run code of this package are our binary executed once more; argv[0] says
// what they are to do ([Run]).
package child
