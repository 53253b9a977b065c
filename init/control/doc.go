// Package control is the wire between a supervisor and whoever tells it what to do: Varlink
// (https://varlink.org) on a unix socket, interface io.cginit. Both ends are here, [Listen]
// for process 1 and [Dial] for Go programs; docs/control.md describes what is in between.
//
// The server holds no state of the jobs and makes no decision. Its goroutines turn what
// comes in into messages on one channel, [Server.Messages], that the supervisor's loop reads;
// the loop answers with the methods of [Call], none of which blocks.
//
// For one connection the messages come in the order of the wire: its calls, then, once, a
// message without a call: the connection has ended, and with it all leases on it. Calls of one
// connection may be open together, and are answered in any order: the server puts the replies
// into the order of the calls, as Varlink wants it.
//
// The methods' parameters are the types XParams, their replies the types XReply. A test holds
// them to io.cginit.varlink.
package control

import _ "embed"

// Interface is the name of our Varlink interface.
const Interface = "io.cginit"

// Description is the definition of the interface, in Varlink's own language.
//
//go:embed io.cginit.varlink
var Description string

// DefaultSocket is where a supervisor listens and a client calls unless told otherwise.
const DefaultSocket = "/run/cginit.sock"
