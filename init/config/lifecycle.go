package config

import "time"

// Lifecycle is when a job starts, counts as started, and is started again. The zero value is
// that of the command of the command line: at once, once.
type Lifecycle struct {
	After     []Dependency // what it waits for, and outlives
	PreStart  []Hook       // run one after the other before it, each to its end
	PostStart []Hook       // run when it is ready
	PreStop   []Hook       // run before it is asked to stop

	Ready        Ready
	StartTimeout time.Duration // it must be ready by then; 0: no limit
	Health       *Health       // nil: none
	OnUnhealthy  OnUnhealthy
	Watchdog     time.Duration // WATCHDOG=1 at least this often; 0: none

	Restart   Restart
	Essential bool      // when it ends, everything ends, with its status
	Triggers  []Trigger // a job with triggers runs at these times only
	Manual    bool      // it is not started by itself
	// ScheduleOnly: nobody may start it by hand either (triggers.manual: false).
	ScheduleOnly bool
}

// Dependency is another job that must be in some condition first.
type Dependency struct {
	Job       string // the name of its Spec
	Condition Condition
	Restart   bool // restart this job when that one is restarted on request
}

// Condition is what a dependency waits for; the words are Compose's.
type Condition string

// The conditions.
const (
	Started               Condition = "service_started" // it is ready
	Healthy               Condition = "service_healthy" // its health check has succeeded
	CompletedSuccessfully Condition = "service_completed_successfully"
)

// Hook is a command that belongs to a job: a step before or after its start, or before its end.
type Hook struct {
	Args    []string
	Env     []string // the whole environment
	Dir     string
	User    *User         // nil: the supervisor's
	Timeout time.Duration // 0: no limit but that of the job
}

// Ready says when a job counts as started.
type Ready struct {
	Kind ReadyKind
	FD   int // for ReadyFD: the descriptor on which it writes a newline, 3 or more
}

// ReadyKind is the way in which a job says that it is ready.
type ReadyKind string

// The kinds of readiness.
const (
	ReadyExec    ReadyKind = ""        // its command has been executed
	ReadyNotify  ReadyKind = "notify"  // READY=1 to NOTIFY_SOCKET (sd_notify(3))
	ReadyFD      ReadyKind = "fd"      // a newline on a descriptor (s6, dinit)
	ReadyForking ReadyKind = "forking" // its main process exits with 0 and a daemon stays
)

// Health is a check that is repeated while a job runs. Exactly one of Args, HTTP, TCP is set.
type Health struct {
	Args []string // a command
	HTTP string   // a URL that must answer with a status from 200 to 399
	TCP  string   // host:port that must accept a connection

	Interval      time.Duration
	Timeout       time.Duration
	Retries       int           // failures in a row that make it unhealthy
	StartPeriod   time.Duration // failures do not count so long after the start
	StartInterval time.Duration // between checks in the start period
}

// OnUnhealthy says what becomes of an unhealthy job.
type OnUnhealthy string

// The ways with an unhealthy job.
const (
	UnhealthyNone    OnUnhealthy = "none"    // it is only shown
	UnhealthyRestart OnUnhealthy = "restart" // its run is stopped, and its restart policy decides
)

// Restart is the policy for a run that has ended.
type Restart struct {
	Policy   RestartPolicy
	Max      int           // restarts in a row before it is given up; 0: no limit
	Delay    time.Duration // before the first; it doubles
	MaxDelay time.Duration // at most
	Window   time.Duration // a run that was ready this long makes the delay the first again
}

// RestartPolicy says after which ends a job runs again.
type RestartPolicy string

// The restart policies.
const (
	RestartNo        RestartPolicy = "no"
	RestartOnFailure RestartPolicy = "on-failure"
	RestartAlways    RestartPolicy = "always"
)

// The delays of restarts unless the file says otherwise.
const (
	RestartDelay    = 100 * time.Millisecond
	RestartMaxDelay = 30 * time.Second
	RestartWindow   = 10 * time.Second
)

// Output is where what a job writes goes, and what it reads.
type Output struct {
	Log       LogDriver
	TTY       bool // a terminal of its own
	StdinOpen bool // our standard input; false: /dev/null
}

// LogDriver is a way with a job's output.
type LogDriver string

// The log drivers.
const (
	LogInherit LogDriver = ""       // ours, untouched
	LogPrefix  LogDriver = "prefix" // each line with the job's name before it
	LogJSON    LogDriver = "json"   // each line in a JSON object
	LogNone    LogDriver = "none"   // nowhere
)
