package control

// The methods of the interface, in its order.
const (
	MethodList     = "List"
	MethodStatus   = "Status"
	MethodStart    = "Start"
	MethodStop     = "Stop"
	MethodRestart  = "Restart"
	MethodKill     = "Kill"
	MethodSignal   = "Signal"
	MethodFreeze   = "Freeze"
	MethodThaw     = "Thaw"
	MethodRun      = "Run"
	MethodWait     = "Wait"
	MethodEvents   = "Events"
	MethodReload   = "Reload"
	MethodShutdown = "Shutdown"
	MethodHealth   = "Health"
)

// params makes room for the parameters of each method.
var params = map[string]func() any{
	MethodList:     func() any { return new(ListParams) },
	MethodStatus:   func() any { return new(StatusParams) },
	MethodStart:    func() any { return new(StartParams) },
	MethodStop:     func() any { return new(StopParams) },
	MethodRestart:  func() any { return new(RestartParams) },
	MethodKill:     func() any { return new(KillParams) },
	MethodSignal:   func() any { return new(SignalParams) },
	MethodFreeze:   func() any { return new(FreezeParams) },
	MethodThaw:     func() any { return new(ThawParams) },
	MethodRun:      func() any { return new(RunParams) },
	MethodWait:     func() any { return new(WaitParams) },
	MethodEvents:   func() any { return new(EventsParams) },
	MethodReload:   func() any { return new(ReloadParams) },
	MethodShutdown: func() any { return new(ShutdownParams) },
	MethodHealth:   func() any { return new(HealthParams) },
}

// ListParams asks for all jobs, or for those named.
type ListParams struct {
	Jobs      []string `json:"jobs,omitempty"`
	Processes bool     `json:"processes,omitempty"`
}

// ListReply has the jobs in the order of the configuration, then the runs.
type ListReply struct {
	Jobs []Job `json:"jobs"`
}

// StatusParams asks for one job.
type StatusParams struct {
	Job string `json:"job"`
}

// StatusReply has the job with its processes, and the receipt of its last run that has ended.
type StatusReply struct {
	Job     Job      `json:"job"`
	Receipt *Receipt `json:"receipt,omitempty"`
}

// StartParams starts jobs, and what they depend on.
type StartParams struct {
	Jobs   []string `json:"jobs"`
	NoWait bool     `json:"no_wait,omitempty"` // answer at once; false: when they are ready
}

// StartReply has the jobs as they are then.
type StartReply struct {
	Jobs []Job `json:"jobs"`
}

// StopParams stops jobs, and first those that depend on them.
type StopParams struct {
	Jobs        []string `json:"jobs"`
	GracePeriod *int64   `json:"grace_period_ms,omitempty"` // milliseconds; nil: the job's own
	NoWait      bool     `json:"no_wait,omitempty"`         // answer at once; false: when nothing is left
}

// StopReply has a receipt for each run that was ended.
type StopReply struct {
	Receipts []Receipt `json:"receipts"`
}

// RestartParams stops jobs and starts them again.
type RestartParams struct {
	Jobs   []string `json:"jobs"`
	NoWait bool     `json:"no_wait,omitempty"`
}

// RestartReply has the jobs as they are then.
type RestartReply struct {
	Jobs []Job `json:"jobs"`
}

// KillParams kills jobs at once.
type KillParams struct {
	Jobs   []string `json:"jobs"`
	NoWait bool     `json:"no_wait,omitempty"`
}

// KillReply has a receipt for each run that was ended.
type KillReply struct {
	Receipts []Receipt `json:"receipts"`
}

// SignalParams sends a signal to the main processes of jobs, or to all of their processes.
type SignalParams struct {
	Jobs   []string `json:"jobs"`
	Signal string   `json:"signal"` // TERM, SIGTERM, 15, RTMIN+3
	All    bool     `json:"all,omitempty"`
}

// SignalReply says that it was sent.
type SignalReply struct{}

// FreezeParams suspends every process of jobs.
type FreezeParams struct {
	Jobs []string `json:"jobs"`
}

// FreezeReply says that all stand still.
type FreezeReply struct{}

// ThawParams lets frozen jobs go on.
type ThawParams struct {
	Jobs []string `json:"jobs"`
}

// ThawReply says that they go on.
type ThawReply struct{}

// What Wait can wait for.
const (
	UntilStarted = "started" // its command runs
	UntilReady   = "ready"
	UntilHealthy = "healthy"
	UntilEnded   = "ended" // nothing of a run is left; one that is idle has ended
)

// WaitParams waits until all of the jobs have come that far.
type WaitParams struct {
	Jobs    []string `json:"jobs"`
	Until   string   `json:"until"`
	Timeout *int64   `json:"timeout_ms,omitempty"` // milliseconds; nil: for ever
}

// WaitReply has the jobs as they are then.
type WaitReply struct {
	Jobs []Job `json:"jobs"`
}

// EventsParams asks for what has happened.
type EventsParams struct {
	Since *int     `json:"since,omitempty"` // the last event that the caller has; nil: only what comes
	Jobs  []string `json:"jobs,omitempty"`  // only of these jobs; none: all
}

// EventsReply has events in order.
type EventsReply struct {
	Events []Event `json:"events"`
	Last   int     `json:"last"`   // the number of the last event that there was
	Missed int     `json:"missed"` // how many after Since are no longer kept
}

// ReloadParams reads the configuration again.
type ReloadParams struct{}

// ReloadReply names the jobs that have changed.
type ReloadReply struct {
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
	Changed []string `json:"changed"`
}

// ShutdownParams stops all jobs and ends.
type ShutdownParams struct{}

// ShutdownReply says that it has begun. The connection closes when all is over.
type ShutdownReply struct{}

// HealthParams asks whether all is well.
type HealthParams struct{}

// HealthReply says whether all that is to run does and is healthy; if not, why not.
type HealthReply struct {
	Healthy bool     `json:"healthy"`
	Reasons []string `json:"reasons"`
}
