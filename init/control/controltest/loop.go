// Package controltest has a supervisor's loop for tests of the protocol. Its jobs have no processes,
// and its runs are single processes that no containment holds.
package controltest

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/cginit/cginit/init/control"
)

// keptEvents is how many events the loop keeps.
const keptEvents = 100

// job is a job or a run. process is nil unless it is a run that has not ended.
type job struct {
	control.Job
	process *os.Process
	call    *control.Call // the Run to answer
	lease   *control.Conn // the run ends with this connection
	ask     *control.RunParams
	cause   string
	receipt *control.Receipt
	timer   *time.Timer
}

// loop has the state of the supervisor. One goroutine owns it.
type loop struct {
	server  *control.Server
	jobs    []*job
	events  []control.Event
	seq     int
	streams []*control.Call
	waits   map[*control.Call]*control.WaitParams
	// stops are the calls of Stop and Kill that wait for these jobs to end.
	stops map[*control.Call][]string
	// posted are the functions that other goroutines and timers give to the loop.
	posted chan func()
	done   chan struct{}
	quit   func()
}

// Start starts a loop with a socket in a directory of the test and returns the path of the socket. The
// loop ends with the test.
func Start(t testing.TB) (socket string) { return StartWith(t, control.Config{}) }

// StartWith is Start with a configuration. It sets the path if that is empty.
func StartWith(t testing.TB, c control.Config) (socket string) {
	if c.Path == "" {
		c.Path = filepath.Join(t.TempDir(), "s")
	}
	server, err := control.Listen(c)
	if err != nil {
		t.Fatal(err)
	}
	l := &loop{
		server: server, posted: make(chan func()), done: make(chan struct{}),
		waits: map[*control.Call]*control.WaitParams{}, stops: map[*control.Call][]string{},
		jobs: canned(),
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.quit = cancel
	go l.run(ctx)
	t.Cleanup(func() {
		cancel()
		<-l.done
		for _, j := range l.jobs {
			if j.process != nil {
				_ = j.process.Kill()
			}
		}
	})
	return c.Path
}

// canned returns the jobs of every loop.
func canned() []*job {
	begun := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	service := func(name string, pid int, s control.State, h control.HealthState) *job {
		j := &job{Job: control.Job{
			Name: name, Kind: control.KindService, State: s, Health: h, Command: []string{name, "--serve"},
			Containment: "cgroup", Labels: map[string]string{"tier": "front"},
		}}
		if s == control.Running {
			j.Run, j.Pid, j.Started, j.Ready = 1, pid, &begun, &begun
			j.Processes = []control.Process{
				{Pid: pid, PPid: 1, Command: name + " --serve", State: "S"},
				{Pid: pid + 1, PPid: pid, Command: name + ": worker", State: "R"},
			}
		}
		return j
	}
	return []*job{
		service("web", 1001, control.Running, control.Healthy),
		service("db", 2001, control.Running, ""),
		service("batch", 0, control.Idle, ""),
	}
}

// run is the loop.
func (l *loop) run(ctx context.Context) {
	defer close(l.done)
	defer l.server.Close()
	for {
		select {
		case m := <-l.server.Messages():
			switch {
			case m.Conn == nil:
			case m.Call == nil:
				l.gone(m.Conn)
			default:
				l.call(m.Call)
			}
		case f := <-l.posted:
			f()
		case <-ctx.Done():
			return
		}
		l.settle()
	}
}

// do makes the loop call f.
func (l *loop) do(f func()) {
	select {
	case l.posted <- f:
	case <-l.done:
	}
}

// gone ends the leases and streams of a connection that has ended.
func (l *loop) gone(c *control.Conn) {
	for _, j := range l.jobs {
		if j.lease == c && j.process != nil {
			l.end(j, "lease-ended", 0)
		}
	}
	l.streams = slices.DeleteFunc(l.streams, func(s *control.Call) bool {
		if s.Conn == c {
			s.Fail(control.Failed{Reason: "the connection has ended"})
		}
		return s.Conn == c
	})
}

// find returns the job of that name, nil if there is none.
func (l *loop) find(name string) *job {
	for _, j := range l.jobs {
		if j.Name == name {
			return j
		}
	}
	return nil
}

// settle answers the calls that have waited for what has happened.
func (l *loop) settle() {
	for call, p := range l.waits {
		if !slices.ContainsFunc(p.Jobs, func(n string) bool { return !reached(l.find(n), p.Until) }) {
			delete(l.waits, call)
			call.Reply(control.WaitReply{Jobs: l.snapshot(p.Jobs, false)})
		}
	}
	for call, names := range l.stops {
		if slices.ContainsFunc(names, func(n string) bool { return !reached(l.find(n), control.UntilEnded) }) {
			continue
		}
		delete(l.stops, call)
		receipts := []control.Receipt{}
		for _, n := range names {
			if j := l.find(n); j.receipt != nil {
				receipts = append(receipts, *j.receipt)
			}
		}
		call.Reply(control.StopReply{Receipts: receipts})
	}
}

// reached reports whether a job has reached a state that Wait can wait for.
func reached(j *job, until string) bool {
	switch until {
	case control.UntilEnded:
		return j.State == control.Ended || j.State == control.Idle
	case control.UntilHealthy:
		return j.State == control.Running && j.Health == control.Healthy
	}
	return j.State == control.Running
}

// snapshot returns the jobs of these names, or all if there is no name.
func (l *loop) snapshot(names []string, processes bool) []control.Job {
	jobs := []control.Job{}
	for _, j := range l.jobs {
		if len(names) == 0 || slices.Contains(names, j.Name) {
			copied := j.Job
			if !processes {
				copied.Processes = nil
			}
			jobs = append(jobs, copied)
		}
	}
	return jobs
}

// emit numbers an event, keeps it and sends it to the streams.
func (l *loop) emit(e control.Event) {
	l.seq++
	e.Seq, e.Time = l.seq, time.Now().UTC()
	l.events = append(l.events, e)
	l.events = l.events[max(0, len(l.events)-keptEvents):]
	l.streams = slices.DeleteFunc(l.streams, func(s *control.Call) bool {
		p := s.Params.(*control.EventsParams)
		if len(p.Jobs) > 0 && !slices.Contains(p.Jobs, e.Job) {
			return false
		}
		return !s.Continue(control.EventsReply{Events: []control.Event{e}, Last: l.seq})
	})
}

// enter changes the state of a job.
func (l *loop) enter(j *job, s control.State) {
	j.State = s
	l.emit(control.Event{Kind: control.EventState, Job: j.Name, Run: j.Run, Pid: j.Pid, State: s})
}
