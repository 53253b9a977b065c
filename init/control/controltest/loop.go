// Package controltest is a loop for tests of what is on the wire: some jobs that only say what
// they are, and runs that are bare processes. Nothing of it contains anything.
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

// keep is how many events are kept.
const keep = 100

type job struct {
	control.Job
	process *os.Process
	call    *control.Call // the Run that is to be answered
	lease   *control.Conn // that the run ends with
	ask     *control.RunParams
	cause   string
	receipt *control.Receipt
	timer   *time.Timer
}

type loop struct {
	server  *control.Server
	jobs    []*job
	events  []control.Event
	seq     int
	streams []*control.Call
	waits   map[*control.Call]*control.WaitParams
	stops   map[*control.Call][]string // Stop and Kill calls that wait for these to end
	later   chan func()                // what a goroutine or timer has for the loop
	done    chan struct{}
	quit    func()
}

// Start begins a loop behind a socket in a directory of the test's, and ends it with the test.
func Start(t testing.TB) (socket string) { return StartWith(t, control.Config{}) }

// StartWith is Start with a configuration, whose path is set if it is empty.
func StartWith(t testing.TB, c control.Config) (socket string) {
	if c.Path == "" {
		c.Path = filepath.Join(t.TempDir(), "s")
	}
	server, err := control.Listen(c)
	if err != nil {
		t.Fatal(err)
	}
	l := &loop{
		server: server, later: make(chan func()), done: make(chan struct{}),
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
		case f := <-l.later:
			f()
		case <-ctx.Done():
			return
		}
		l.settle()
	}
}

// later hands f to the loop.
func (l *loop) do(f func()) {
	select {
	case l.later <- f:
	case <-l.done:
	}
}

// gone ends what depends on a connection: leases and streams.
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

func (l *loop) find(name string) *job {
	for _, j := range l.jobs {
		if j.Name == name {
			return j
		}
	}
	return nil
}

// settle answers what waits for what has happened.
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

func reached(j *job, until string) bool {
	switch until {
	case control.UntilEnded:
		return j.State == control.Ended || j.State == control.Idle
	case control.UntilHealthy:
		return j.State == control.Running && j.Health == control.Healthy
	}
	return j.State == control.Running
}

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

// emit writes an event down and tells it to all who listen.
func (l *loop) emit(e control.Event) {
	l.seq++
	e.Seq, e.Time = l.seq, time.Now().UTC()
	l.events = append(l.events, e)
	l.events = l.events[max(0, len(l.events)-keep):]
	l.streams = slices.DeleteFunc(l.streams, func(s *control.Call) bool {
		p := s.Params.(*control.EventsParams)
		if len(p.Jobs) > 0 && !slices.Contains(p.Jobs, e.Job) {
			return false
		}
		return !s.Continue(control.EventsReply{Events: []control.Event{e}, Last: l.seq})
	})
}

func (l *loop) enter(j *job, s control.State) {
	j.State = s
	l.emit(control.Event{Kind: control.EventState, Job: j.Name, Run: j.Run, Pid: j.Pid, State: s})
}
