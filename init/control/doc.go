// Package control is the protocol between a supervisor and its clients: Varlink
// (https://varlink.org) on a unix socket, with the interface io.cginit. Both ends are here:
// [Listen] for process 1 and [Dial] for Go programs. docs/control.md describes the protocol.
//
// The server holds no state of jobs and makes no decision about them. Its goroutines turn calls
// into messages on one channel, [Server.Messages], which the supervisor's loop reads. The loop
// answers with the methods of [Call], none of which blocks.
//
// The messages of one connection come in the order in which the client has sent the calls. The last
// one has no call: it says that the connection has ended, and with it all leases on it. The loop
// may answer the calls of a connection in any order. The server sends the replies in the order of
// the calls, as Varlink demands.
//
// The parameters of a method are of the type XParams, where X is the name of the method, and its
// replies are of the type XReply. A test compares these types with io.cginit.varlink.
package control

import _ "embed"

// Interface is the name of our Varlink interface.
const Interface = "io.cginit"

// Description is the definition of the interface, in Varlink's own language.
//
//go:embed io.cginit.varlink
var Description string

// DefaultSocket is the path where a supervisor listens, and a client calls, by default.
const DefaultSocket = "/run/cginit.sock"
