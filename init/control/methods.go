package control

// The methods of the interface, in the order of its definition.
const (
	MethodList       = "List"
	MethodStatus     = "Status"
	MethodStart      = "Start"
	MethodStop       = "Stop"
	MethodRestart    = "Restart"
	MethodKill       = "Kill"
	MethodSignal     = "Signal"
	MethodFreeze     = "Freeze"
	MethodThaw       = "Thaw"
	MethodRun        = "Run"
	MethodWait       = "Wait"
	MethodEvents     = "Events"
	MethodReload     = "Reload"
	MethodReloadJobs = "ReloadJobs"
	MethodShutdown   = "Shutdown"
	MethodHealth     = "Health"
)

// newParams returns a pointer to empty parameters of each method.
var newParams = map[string]func() any{
	MethodList:       func() any { return new(ListParams) },
	MethodStatus:     func() any { return new(StatusParams) },
	MethodStart:      func() any { return new(StartParams) },
	MethodStop:       func() any { return new(StopParams) },
	MethodRestart:    func() any { return new(RestartParams) },
	MethodKill:       func() any { return new(KillParams) },
	MethodSignal:     func() any { return new(SignalParams) },
	MethodFreeze:     func() any { return new(FreezeParams) },
	MethodThaw:       func() any { return new(ThawParams) },
	MethodRun:        func() any { return new(RunParams) },
	MethodWait:       func() any { return new(WaitParams) },
	MethodEvents:     func() any { return new(EventsParams) },
	MethodReload:     func() any { return new(ReloadParams) },
	MethodReloadJobs: func() any { return new(ReloadJobsParams) },
	MethodShutdown:   func() any { return new(ShutdownParams) },
	MethodHealth:     func() any { return new(HealthParams) },
}

// ListParams are the parameters of List.
type ListParams struct {
	// Jobs are the names of the jobs to list. If it is empty, all are listed.
	Jobs []string `json:"jobs,omitempty"`
	// Processes asks for the processes of each job.
	Processes bool `json:"processes,omitempty"`
}

// ListReply has the jobs in the order of the configuration, and then the runs.
type ListReply struct {
	Jobs []Job `json:"jobs"`
}

// StatusParams are the parameters of Status.
type StatusParams struct {
	Job string `json:"job"`
}

// StatusReply has the job with its processes, and the receipt of the last of its runs that has ended.
type StatusReply struct {
	Job     Job      `json:"job"`
	Receipt *Receipt `json:"receipt,omitempty"`
}

// StartParams are the parameters of Start, which also starts the jobs that the named ones depend on.
type StartParams struct {
	Jobs []string `json:"jobs"`
	// NoWait asks for the answer at once. Otherwise it comes when the jobs are ready.
	NoWait bool `json:"no_wait,omitempty"`
}

// StartReply has the jobs as they are at the time of the answer.
type StartReply struct {
	Jobs []Job `json:"jobs"`
}

// StopParams are the parameters of Stop, which first stops the jobs that depend on the named ones.
type StopParams struct {
	Jobs []string `json:"jobs"`
	// GracePeriod is the time from the stop signal to the kill, in milliseconds. If it is nil, it is
	// that of each job.
	GracePeriod *int64 `json:"grace_period_ms,omitempty"`
	// NoWait asks for the answer at once. Otherwise it comes when no process of the jobs is left.
	NoWait bool `json:"no_wait,omitempty"`
}

// StopReply has a receipt for each run that has been ended.
type StopReply struct {
	Receipts []Receipt `json:"receipts"`
}

// RestartParams are the parameters of Restart, which stops jobs and starts them again.
type RestartParams struct {
	Jobs []string `json:"jobs"`
	// NoWait asks for the answer at once. Otherwise it comes when the jobs are ready.
	NoWait bool `json:"no_wait,omitempty"`
}

// RestartReply has the jobs as they are at the time of the answer.
type RestartReply struct {
	Jobs []Job `json:"jobs"`
}

// KillParams are the parameters of Kill, which kills jobs at once.
type KillParams struct {
	Jobs []string `json:"jobs"`
	// NoWait asks for the answer at once. Otherwise it comes when no process of the jobs is left.
	NoWait bool `json:"no_wait,omitempty"`
}

// KillReply has a receipt for each run that has been ended.
type KillReply struct {
	Receipts []Receipt `json:"receipts"`
}

// SignalParams are the parameters of Signal.
type SignalParams struct {
	Jobs []string `json:"jobs"`
	// Signal is a name or a number: TERM, SIGTERM, 15, RTMIN+3.
	Signal string `json:"signal"`
	// All sends the signal to all processes of the jobs. Otherwise it goes to the main processes.
	All bool `json:"all,omitempty"`
}

// SignalReply says that the signal has been sent.
type SignalReply struct{}

// FreezeParams are the parameters of Freeze, which suspends every process of jobs.
type FreezeParams struct {
	Jobs []string `json:"jobs"`
}

// FreezeReply says that no process of the jobs runs.
type FreezeReply struct{}

// ThawParams are the parameters of Thaw, which ends the freeze of jobs.
type ThawParams struct {
	Jobs []string `json:"jobs"`
}

// ThawReply says that the processes of the jobs run again.
type ThawReply struct{}

// The states that Wait can wait for.
const (
	// UntilStarted is reached when the command of the job has been executed.
	UntilStarted = "started"
	UntilReady   = "ready"
	UntilHealthy = "healthy"
	// UntilEnded is reached when no process of the job is left. An idle job has reached it.
	UntilEnded = "ended"
)

// WaitParams are the parameters of Wait, which waits until all of the jobs have reached a state.
type WaitParams struct {
	Jobs []string `json:"jobs"`
	// Until is one of the constants UntilStarted, UntilReady, UntilHealthy and UntilEnded.
	Until string `json:"until"`
	// Timeout is in milliseconds. If it is nil, Wait waits for ever.
	Timeout *int64 `json:"timeout_ms,omitempty"`
}

// WaitReply has the jobs as they are at the time of the answer.
type WaitReply struct {
	Jobs []Job `json:"jobs"`
}

// EventsParams are the parameters of Events.
type EventsParams struct {
	// Since is the number of the last event that the caller has. If it is nil, the caller wants only
	// events that are still to come.
	Since *int `json:"since,omitempty"`
	// Jobs are the jobs whose events are wanted. If it is empty, all events are.
	Jobs []string `json:"jobs,omitempty"`
}

// EventsReply has events in the order of their numbers.
type EventsReply struct {
	Events []Event `json:"events"`
	// Last is the number of the last event that has happened.
	Last int `json:"last"`
	// Missed is how many events after Since the supervisor no longer has.
	Missed int `json:"missed"`
}

// ReloadParams are the parameters of Reload, which reads the configuration again.
type ReloadParams struct{}

// ReloadReply has the names of the jobs that have changed.
type ReloadReply struct {
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
	Changed []string `json:"changed"`
}

// ReloadJobsParams are the parameters of ReloadJobs, which makes jobs read their own configuration again.
type ReloadJobsParams struct {
	Jobs []string `json:"jobs"`
	// Timeout is in milliseconds. If it is nil, ReloadJobs waits for ever.
	Timeout *int64 `json:"timeout_ms,omitempty"`
}

// ReloadJobsReply has the names of the jobs.
type ReloadJobsReply struct {
	// Reloaded are those that have said that they have reloaded.
	Reloaded []string `json:"reloaded"`
	// Signalled are those that do not say when they have.
	Signalled []string `json:"signalled"`
}

// ShutdownParams are the parameters of Shutdown, which stops all jobs and ends the supervisor.
type ShutdownParams struct{}

// ShutdownReply says that the shutdown has begun. The connection closes when the supervisor ends.
type ShutdownReply struct{}

// HealthParams are the parameters of Health.
type HealthParams struct{}

// HealthReply says whether all jobs that are meant to run do so and are healthy.
type HealthReply struct {
	Healthy bool `json:"healthy"`
	// Reasons says for each job that is not healthy why.
	Reasons []string `json:"reasons"`
}
