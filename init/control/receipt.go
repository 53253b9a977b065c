package control

import "time"

// Receipt is the record of a teardown. Fields that cannot be measured here are omitted.
type Receipt struct {
	Job   string `json:"job"`
	Run   int    `json:"run"`
	Cause string `json:"cause"`
	// Error says why the command could not be started, or that nobody knows how the main process has
	// ended.
	Error   string    `json:"error,omitempty"`
	Command []string  `json:"command"`
	Pid     int       `json:"pid,omitempty"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`

	// Code is the exit code of the main process, Signal the signal that ended it. One is set, unless
	// there is an Error.
	Code       *int   `json:"code,omitempty"`
	Signal     string `json:"signal,omitempty"`
	ExitStatus int    `json:"exit_status"`
	// Success says that this end counts as exit status 0 (success_exit_status).
	Success bool `json:"success,omitempty"`

	// StopSignal is what the main process was asked with, StopWhy why it is that signal, if the job leaves it to cginit.
	StopSignal string `json:"stop_signal,omitempty"`
	StopWhy    string `json:"stop_signal_why,omitempty"`
	// Hint says why the main process had to be killed and what to do about it, where that is known of its program.
	Hint string `json:"hint,omitempty"`

	// Asked is how many processes were sent the stop signal, Left how many of them ended by it.
	Asked int `json:"asked"`
	Left  int `json:"left"`
	// Killed is how many processes had to be killed, Unkillable how many live on.
	Killed     int       `json:"killed"`
	Unkillable int       `json:"unkillable"`
	Processes  []Process `json:"processes,omitempty"`
	// Omitted is how many processes there were beyond those in Processes.
	Omitted int `json:"omitted,omitempty"`
	// Incomplete says why not all processes could be listed. Asked, Left and Killed are then the least
	// that they can be.
	Incomplete string `json:"incomplete,omitempty"`

	Phases Phases `json:"phases_ms"`

	// CPU is user and system time, in milliseconds.
	CPU *float64 `json:"cpu_ms,omitempty"`
	// MemoryPeak is in bytes.
	MemoryPeak *uint64 `json:"memory_peak,omitempty"`
	// PidsPeak counts processes and threads.
	PidsPeak *uint64 `json:"pids_peak,omitempty"`
	OOMKills *uint64 `json:"oom_kills,omitempty"`

	Containment string `json:"containment"`
	Guarantee   string `json:"guarantee"`
}

// Phases is how long each phase of a run took, in milliseconds.
type Phases struct {
	Run float64 `json:"run"`
	// Ask is the time from the stop signal to the end of the main process.
	Ask float64 `json:"ask"`
	// Leave is the time after that in which the other processes could end by themselves.
	Leave  float64 `json:"leave"`
	Freeze float64 `json:"freeze"`
	Kill   float64 `json:"kill"`
}
