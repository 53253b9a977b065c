package control

import "time"

// State is what a job is doing.
type State string

// The states of a job.
const (
	// Idle: the job has not been started, or has ended and is not to be started again by itself.
	Idle State = "idle"
	// Waiting: the job waits for a job that it depends on, for its next try, or for its schedule.
	Waiting State = "waiting"
	// Starting: the main process exists and has not said that it is ready.
	Starting State = "starting"
	// Running: the job is ready.
	Running State = "running"
	// Stopping: the job has been asked to stop, or says that it stops, or its main process has ended
	// and others are asked.
	Stopping State = "stopping"
	// Killing: the processes that did not end by themselves are being killed.
	Killing State = "killing"
	// Stuck: a process of the job cannot be killed.
	Stuck State = "stuck"
	// Ended: no process of the job is left.
	Ended State = "ended"
)

// HealthState is the result of a job's health check.
type HealthState string

// The results of a health check.
const (
	HealthStarting HealthState = "starting"
	Healthy        HealthState = "healthy"
	Unhealthy      HealthState = "unhealthy"
)

// The kinds of a job.
const (
	KindService = "service" // meant to keep running
	KindJob     = "job"     // meant to end
	KindRun     = "run"     // started by the method Run
)

// Job is a job and its present or last run. Fields that do not apply are empty.
type Job struct {
	Name  string `json:"name"`
	Kind  string `json:"kind"`
	State State  `json:"state"`
	// Health is empty for a job without a health check.
	Health HealthState `json:"health,omitempty"`
	Frozen bool        `json:"frozen"`
	// Reloading is true once the service has said RELOADING=1 (sd_notify), until it says READY=1.
	Reloading bool `json:"reloading"`
	// Run is the number of the present or last run, 0 if there was none.
	Run int `json:"run"`
	// Pid is the pid of the main process, or of the daemon that it has left (ready: forking).
	Pid     int        `json:"pid,omitempty"`
	Command []string   `json:"command"`
	Started *time.Time `json:"started,omitempty"`
	Ready   *time.Time `json:"ready,omitempty"`
	Ended   *time.Time `json:"ended,omitempty"`
	// Next is when the job is started again, or the next time of its schedule.
	Next *time.Time `json:"next,omitempty"`
	// Restarts is how often the supervisor has started the job again by itself.
	Restarts int `json:"restarts"`
	// ExitStatus is that of the last run: an exit code, 128 + a signal, 124, 125, 126 or 127.
	ExitStatus *int `json:"exit_status,omitempty"`
	// Status is what the service says of itself (STATUS= of sd_notify), or why the job waits.
	Status string `json:"status,omitempty"`
	// Leased is true for a run that ends with its connection.
	Leased      bool              `json:"leased"`
	Containment string            `json:"containment,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Processes   []Process         `json:"processes,omitempty"`
	// Omitted is how many processes there are beyond those in Processes.
	Omitted int `json:"omitted,omitempty"`
}

// Process is a process of a job.
type Process struct {
	Pid     int    `json:"pid"`
	PPid    int    `json:"ppid,omitempty"`
	Command string `json:"command,omitempty"`
	// State is the letter of the state in proc(5): R, S, D, T and so on.
	State string `json:"state,omitempty"`
	// Age is in milliseconds.
	Age float64 `json:"age_ms,omitempty"`
	// Outcome is only set in a receipt: killed or unkillable.
	Outcome string `json:"outcome,omitempty"`
	// Reasons is only set in a receipt. It says why the process was still alive.
	Reasons []string `json:"reasons,omitempty"`
}
