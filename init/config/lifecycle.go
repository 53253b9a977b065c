package config

import "time"

// Lifecycle says when a job starts, when it counts as started, and when it is started again. The zero
// value is that of the command of the command line: it starts at once, and is not started again.
type Lifecycle struct {
	// After has the jobs that this one waits for. They are stopped after it.
	After []Dependency
	// PreStart has the steps that run before the job, one after the other, each to its end.
	PreStart []Hook
	// PostStart has the steps that run when the job is ready.
	PostStart []Hook
	// PreStop has the steps that run before the job is asked to stop.
	PreStop []Hook

	Ready Ready
	// StartTimeout is how long the job may take to become ready; 0: no limit.
	StartTimeout time.Duration
	// Health is the health check; nil: none.
	Health      *Health
	OnUnhealthy OnUnhealthy
	// Watchdog is the longest time between two WATCHDOG=1 messages; 0: no watchdog.
	Watchdog time.Duration

	Restart Restart
	// Essential makes the supervisor stop everything when the job ends, and end with its exit status.
	Essential bool
	// Triggers are the times at which a job runs. With any it does not run at the start.
	Triggers []Trigger
	// Manual jobs are started on request only.
	Manual bool
	// ScheduleOnly jobs cannot be started on request (triggers.manual: false).
	ScheduleOnly bool
}

// Dependency is another job that must be in some condition first.
type Dependency struct {
	// Job is the name of its Spec.
	Job       string
	Condition Condition
	// Restart makes this job restart when the other one is restarted on request.
	Restart bool
}

// Condition is the state that a dependency waits for, in Compose's words.
type Condition string

// The conditions.
const (
	// Started waits until the other job is ready.
	Started Condition = "service_started"
	// Healthy waits until the health check of the other job has succeeded.
	Healthy Condition = "service_healthy"
	// CompletedSuccessfully waits until the other job has ended with status 0.
	CompletedSuccessfully Condition = "service_completed_successfully"
)

// Hook is a command that runs before or after the start of a job, or before its end.
type Hook struct {
	Args []string
	// Env is the whole environment.
	Env []string
	Dir string
	// User runs the command; nil: the supervisor's own user.
	User *User
	// Timeout is the longest that the command may run; 0: no limit except that of the job.
	Timeout time.Duration
	// Seal seals the command as a job can be sealed. That the job is sealed does not matter for it.
	Seal bool
}

// Ready says when a job counts as started.
type Ready struct {
	Kind ReadyKind
	// FD is the descriptor on which the job writes a newline, for ReadyFD. It is at least 3.
	FD int
}

// ReadyKind is the way in which a job reports that it is ready.
type ReadyKind string

// The kinds of readiness.
const (
	// ReadyExec jobs are ready when their command is executed.
	ReadyExec ReadyKind = ""
	// ReadyNotify jobs send READY=1 to NOTIFY_SOCKET (sd_notify(3)).
	ReadyNotify ReadyKind = "notify"
	// ReadyFD jobs write a newline on a descriptor, as for s6 and dinit.
	ReadyFD ReadyKind = "fd"
	// ReadyForking jobs are ready when their main process exits with status 0 and a daemon stays.
	ReadyForking ReadyKind = "forking"
)

// Health is a check that is repeated while a job runs. Exactly one of Args, HTTP and TCP is set.
type Health struct {
	// Args is a command that must exit with status 0.
	Args []string
	// HTTP is a URL that must answer with a status from 200 to 399.
	HTTP string
	// TCP is a host:port that must accept a connection.
	TCP string

	// Interval is the time between two checks, Timeout the longest that one may take.
	Interval, Timeout time.Duration
	// Retries is how many failures in a row make the job unhealthy.
	Retries int
	// StartPeriod is how long after the start failures do not count.
	StartPeriod time.Duration
	// StartInterval is the time between two checks in the start period.
	StartInterval time.Duration
}

// OnUnhealthy says what happens when a job becomes unhealthy.
type OnUnhealthy string

// The values of OnUnhealthy.
const (
	// UnhealthyNone only shows that the job is unhealthy.
	UnhealthyNone OnUnhealthy = "none"
	// UnhealthyRestart stops the run. The restart policy decides what happens then.
	UnhealthyRestart OnUnhealthy = "restart"
)

// Restart says whether and when a job is started again after a run has ended.
type Restart struct {
	Policy RestartPolicy
	// Max is how many restarts in a row there may be; 0: no limit.
	Max int
	// Delay is the time before the first restart. It doubles with each, up to MaxDelay.
	Delay, MaxDelay time.Duration
	// Window is how long a run must be ready to set the delay back to the first one.
	Window time.Duration
}

// RestartPolicy says after which ends a job is started again.
type RestartPolicy string

// The restart policies.
const (
	RestartNo        RestartPolicy = "no"
	RestartOnFailure RestartPolicy = "on-failure"
	RestartAlways    RestartPolicy = "always"
)

// The defaults of Restart.
const (
	RestartDelay    = 100 * time.Millisecond
	RestartMaxDelay = 30 * time.Second
	RestartWindow   = 10 * time.Second
)

// Output says where the output of a job goes, and where its input comes from.
type Output struct {
	Log LogDriver
	// TTY gives the job a terminal of its own.
	TTY bool
	// StdinOpen gives the job the supervisor's standard input. Otherwise it reads /dev/null.
	StdinOpen bool
}

// LogDriver says where the output of a job goes, and in what form.
type LogDriver string

// The log drivers.
const (
	// LogInherit gives the job the supervisor's own stdout and stderr.
	LogInherit LogDriver = ""
	// LogPrefix writes the job's name before each line.
	LogPrefix LogDriver = "prefix"
	// LogJSON writes each line as a JSON object.
	LogJSON LogDriver = "json"
	// LogNone drops the output.
	LogNone LogDriver = "none"
)
