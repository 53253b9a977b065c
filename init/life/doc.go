// Package life holds the two state machines of the supervisor. A [Run] is one life of a command,
// from its start until nothing of it is left. A [Job] decides over all runs of a service or one-shot
// job.
//
// Both are pure. Step takes an event and the time, changes nothing but its receiver, and returns
// the actions that the supervisor performs. The state, the deadline and the cause are unexported:
// only an event or a method of this package can change them. The tests run every event and every
// method in every state.
//
// The life of a run (run_step.go):
//
//	idle ─start→ starting ─→ running ─stop→ (asking ─frozen→) stopping
//	                            │                               │ the main process ends
//	     the main process ends  ├→ leaving ←────────────────────┘
//	                            └→ waiting (leftovers: wait, and daemons)
//	running ─it says that it ends by itself→ stopping
//	any of these ─time is up, kill→ freezing ─frozen→ killing ─→ (stuck)
//	any of these ─empty→ removing ─removed→ ended
//
// In kill mode mixed a stop asks the main process alone. The others are asked when it has ended, or once
// half of the grace period is over, if the main process ignores the signal.
//
// A run enters state asking only with kill mode control-group: its processes are frozen, so that
// all of them are asked in one instant. It enters state stuck when something of it cannot be killed
// (state D). A stuck run has not ended, but it leaves a receipt that says so.
//
// The life of a job (job_step.go):
//
//	down ─start→ blocked ─its dependencies are met→ (preparing) → starting ─ready→ up
//	     preparing, starting, up ─stop, bad, it says that it ends by itself→ stopping
//	     stopping, or any of those ─the run has ended→ down, done, failed,
//	         or delayed ─time is up→ blocked
package life
