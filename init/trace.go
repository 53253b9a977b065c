package supervisor

import (
	"fmt"
	"os"
	"time"

	"github.com/cginit/cginit/init/life"
)

// trace writes each event, state and action of runs and jobs as one line to CGINIT_TRACE=FILE, for
// those who look for a fault. A nil trace writes nothing. A line is written at once, so it is there
// even if we crash next.
type trace struct {
	file  *os.File
	begun time.Time
}

// openTrace opens the file of a trace. For an empty path it returns nil.
func openTrace(path string) (*trace, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot open the trace (CGINIT_TRACE): %w", err)
	}
	return &trace{f, time.Now()}, nil
}

// line writes one line, which begins with the seconds since the start.
func (t *trace) line(format string, args ...any) {
	_, _ = fmt.Fprintf(t.file, "%9.3f  "+format+"\n", append([]any{time.Since(t.begun).Seconds()}, args...)...)
}

// run writes the effect of an event on a run.
func (t *trace) run(r *run, ev life.RunEvent, before life.RunState, actions []life.RunAction) {
	if t != nil {
		t.line("run %s.%d  %s: %s -> %s %v", r.name, r.number, ev, before, r.State(), actions)
	}
}

// job writes the effect of an event on a job.
func (t *trace) job(j *job, ev life.JobEvent, before life.JobState, actions []life.JobAction) {
	if t != nil {
		t.line("job %s  %s: %s -> %s %v", j.spec.Name, ev.Kind, before, j.State(), actions)
	}
}
