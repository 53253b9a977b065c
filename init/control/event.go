package control

import "time"

// The kinds of an event. Each says which field of [Event] is set.
const (
	EventState      = "state"      // State
	EventHealth     = "health"     // Health
	EventFrozen     = "frozen"     // Frozen
	EventReceipt    = "receipt"    // Receipt
	EventSupervisor = "supervisor" // Message
)

// Event is something that has happened to a job or to the supervisor.
type Event struct {
	// Seq is the number of the event. Numbers begin with 1 and have no gaps.
	Seq     int         `json:"seq"`
	Time    time.Time   `json:"time"`
	Kind    string      `json:"kind"`
	Job     string      `json:"job,omitempty"`
	Run     int         `json:"run,omitempty"`
	Pid     int         `json:"pid,omitempty"`
	State   State       `json:"state,omitempty"`
	Health  HealthState `json:"health,omitempty"`
	Frozen  *bool       `json:"frozen,omitempty"`
	Receipt *Receipt    `json:"receipt,omitempty"`
	Message string      `json:"message,omitempty"`
}
