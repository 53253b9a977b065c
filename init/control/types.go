package control

import "time"

// State is what a job is doing.
type State string

// The states of a job.
const (
	Idle     State = "idle"     // not started, or ended and not to be started again by itself
	Waiting  State = "waiting"  // for what it depends on, for its next try, or for its time
	Starting State = "starting" // its main process exists and has not said that it is ready
	Running  State = "running"  // it is ready
	Stopping State = "stopping" // asked to leave, or its main process has ended and others are leaving
	Killing  State = "killing"  // what did not leave is being killed
	Stuck    State = "stuck"    // something of it cannot be killed
	Ended    State = "ended"    // nothing of it is left
)

// HealthState is what a job's health check says.
type HealthState string

// What a health check can say.
const (
	HealthStarting HealthState = "starting"
	Healthy        HealthState = "healthy"
	Unhealthy      HealthState = "unhealthy"
)

// The kinds of a job.
const (
	KindService = "service" // it is meant to keep running
	KindJob     = "job"     // it is meant to end
	KindRun     = "run"     // it was started by Run
)

// Job is one job and its present or last run.
type Job struct {
	Name        string            `json:"name"`
	Kind        string            `json:"kind"`
	State       State             `json:"state"`
	Health      HealthState       `json:"health,omitempty"` // empty: it has no check
	Frozen      bool              `json:"frozen"`
	Run         int               `json:"run"` // 0: it never ran
	Pid         int               `json:"pid,omitempty"`
	Command     []string          `json:"command"`
	Started     *time.Time        `json:"started,omitempty"`
	Ready       *time.Time        `json:"ready,omitempty"`
	Ended       *time.Time        `json:"ended,omitempty"`
	Next        *time.Time        `json:"next,omitempty"` // when it is started again
	Restarts    int               `json:"restarts"`
	ExitStatus  *int              `json:"exit_status,omitempty"` // of its last run
	Status      string            `json:"status,omitempty"`      // what it says of itself, or why it waits
	Leased      bool              `json:"leased"`
	Containment string            `json:"containment,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Processes   []Process         `json:"processes,omitempty"`
	Omitted     int               `json:"omitted,omitempty"` // processes beyond those listed
}

// Process is one process of a job.
type Process struct {
	Pid     int      `json:"pid"`
	PPid    int      `json:"ppid,omitempty"`
	Command string   `json:"command,omitempty"`
	State   string   `json:"state,omitempty"` // R, S, D, T ... as in proc(5)
	Age     float64  `json:"age_ms,omitempty"`
	Outcome string   `json:"outcome,omitempty"` // in a receipt: killed, unkillable
	Reasons []string `json:"reasons,omitempty"` // in a receipt: why it was still there
}

// Phases is how long each phase of a run took, in milliseconds.
type Phases struct {
	Run    float64 `json:"run"`
	Ask    float64 `json:"ask"`   // until the main process had gone
	Leave  float64 `json:"leave"` // for the others after that
	Freeze float64 `json:"freeze"`
	Kill   float64 `json:"kill"`
}

// Receipt is the record that every teardown leaves. A field that could not be had is absent.
type Receipt struct {
	Job     string    `json:"job"`
	Run     int       `json:"run"`
	Cause   string    `json:"cause"`
	Error   string    `json:"error,omitempty"` // why it could not be started
	Command []string  `json:"command"`
	Pid     int       `json:"pid,omitempty"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`

	Code       *int   `json:"code,omitempty"`   // the main process's exit code,
	Signal     string `json:"signal,omitempty"` // or the signal that ended it
	ExitStatus int    `json:"exit_status"`

	Asked      int       `json:"asked"`      // processes that were asked to leave
	Left       int       `json:"left"`       // those of them that did
	Killed     int       `json:"killed"`     // processes that had to be killed
	Unkillable int       `json:"unkillable"` // processes that live on
	Processes  []Process `json:"processes,omitempty"`
	Omitted    int       `json:"omitted,omitempty"`

	Phases Phases `json:"phases_ms"`

	CPU        *float64 `json:"cpu_ms,omitempty"`      // user and system time, milliseconds
	MemoryPeak *uint64  `json:"memory_peak,omitempty"` // bytes
	PidsPeak   *uint64  `json:"pids_peak,omitempty"`   // processes and threads
	OOMKills   *uint64  `json:"oom_kills,omitempty"`

	Containment string `json:"containment"`
	Guarantee   string `json:"guarantee"`
}

// The kinds of an event.
const (
	EventState      = "state"      // State
	EventHealth     = "health"     // Health
	EventFrozen     = "frozen"     // Frozen
	EventReceipt    = "receipt"    // Receipt
	EventSupervisor = "supervisor" // Message
)

// Event is something that has happened.
type Event struct {
	Seq     int         `json:"seq"` // without gaps, from 1
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
