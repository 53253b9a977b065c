// Package life holds the two state machines of the supervisor: [Run], one life of a command
// from its start until nothing of it is left, and [Job], what a job does over its runs.
//
// Both are pure. Step takes an event and the time, changes nothing but its receiver and returns
// the actions that the supervisor performs. The state, the deadline and the cause are unexported:
// nobody can change them but by an event or by one of the methods here, and the tests run every
// event and every method in every state.
//
// The life of a run (run_step.go):
//
//	idle ─start→ starting ─→ running ─stop→ (asking ─frozen→) stopping
//	                            │                               │ the main process ends
//	     the main process ends  ├→ leaving ←────────────────────┘
//	                            └→ waiting (leftovers: wait, and daemons)
//	any of these ─time is up, kill→ freezing ─frozen→ killing ─→ (stuck)
//	any of these ─empty→ removing ─removed→ ended
//
// The run is in state asking only with kill mode control-group: its processes are frozen so that
// all of them are asked in one instant. It is in state stuck when something of it cannot be
// killed (state D). It has not ended then, and says so.
//
// The life of a job (job_step.go):
//
//	down ─start→ blocked ─its dependencies are met→ (preparing) → starting ─ready→ up
//	     preparing, starting, up ─stop, bad→ stopping
//	     stopping, or any of those ─the run has ended→ down, done, failed,
//	         or delayed ─time is up→ blocked
package life
