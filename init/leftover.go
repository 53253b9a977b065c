package supervisor

import (
	"syscall"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/proc"
)

// describe returns what the receipt says of a leftover: its pid, command and age (in milliseconds),
// and the reasons why it was still there.
func (r *run) describe(p proc.Process) Process {
	d := Process{Pid: p.Pid, PPid: p.PPid, Command: p.CommandLine(), State: string(p.State), Outcome: "killed"}
	d.Age = milliseconds(p.Age())
	if asked := r.book.asked[p.Pid]; asked != 0 {
		d.Reasons = append(d.Reasons, heeded(p, asked))
	} else {
		d.Reasons = append(d.Reasons, "was not asked")
	}
	if r.held.HasStopped(p) {
		d.Reasons = append(d.Reasons, "stopped")
	}
	if how := r.howItGotAway(p); how != "" {
		d.Reasons = append(d.Reasons, how)
	}
	return d
}

// howItGotAway returns in words how a process left the main process's family; empty if it did not.
// A process that has not left has the session of the main process, and its parent is not the
// adopter.
func (r *run) howItGotAway(p proc.Process) string {
	main := r.held.Main()
	hasOwnSession, isAdopted := p.Session != main.Session, p.PPid == r.held.Adopter() && p.Pid != main.Pid
	switch {
	case p.PPid == 0 && p.Pid != main.Pid:
		return "entered from outside"
	case hasOwnSession && isAdopted:
		return "daemonised"
	case hasOwnSession:
		return "own session"
	case isAdopted:
		return "orphaned"
	}
	return ""
}

// heeded returns in words how a process dealt with a signal that did not end it.
func heeded(p proc.Process, sig syscall.Signal) string {
	name := config.SignalName(sig)
	bit := uint64(1) << (sig - 1)
	switch {
	case p.Ignored&bit != 0:
		return "ignored " + name
	case p.Blocked&bit != 0:
		return "blocked " + name
	case p.Caught&bit != 0:
		return "caught " + name + " and went on"
	}
	return "outlived " + name
}
