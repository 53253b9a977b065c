package control_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/init/control/controltest"
	"golang.org/x/sys/unix"
)

// dial connects a client for the time of the test.
func dial(t testing.TB, socket string) *control.Client {
	t.Helper()
	c, err := control.Dial(t.Context(), socket, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// must returns a function that returns the reply of a call, and ends the test if the call fails.
func must[R any](t testing.TB) func(R, error) R {
	return func(r R, err error) R {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
}

// TestMethods calls each method of the client once.
func TestMethods(t *testing.T) {
	ctx, c := t.Context(), dial(t, controltest.Start(t))
	info := must[*control.Info](t)(c.Info(ctx))
	if !slices.Equal(info.Interfaces, []string{"org.varlink.service", "io.cginit"}) {
		t.Errorf("the interfaces are %v", info.Interfaces)
	}
	jobs := must[*control.ListReply](t)(c.List(ctx, control.ListParams{})).Jobs
	if len(jobs) != 3 || jobs[0].Name != "web" || jobs[0].State != control.Running || jobs[0].Processes != nil {
		t.Errorf("the jobs are %+v", jobs)
	}
	status := must[*control.StatusReply](t)(c.Status(ctx, control.StatusParams{Job: "web"}))
	if len(status.Job.Processes) != 2 || status.Receipt != nil {
		t.Errorf("the status is %+v", status)
	}
	stopped := must[*control.StopReply](t)(c.Stop(ctx, control.StopParams{Jobs: []string{"web", "db"}}))
	if len(stopped.Receipts) != 2 || stopped.Receipts[1].Cause != "stopped" {
		t.Errorf("the receipts are %+v", stopped.Receipts)
	}
	must[*control.StartReply](t)(c.Start(ctx, control.StartParams{Jobs: []string{"web"}}))
	must[*control.FreezeReply](t)(c.Freeze(ctx, control.FreezeParams{Jobs: []string{"web"}}))
	if h := must[*control.HealthReply](t)(c.Health(ctx)); h.Healthy || len(h.Reasons) != 1 {
		t.Errorf("with a frozen job the health is %+v", h)
	}
	must[*control.ThawReply](t)(c.Thaw(ctx, control.ThawParams{Jobs: []string{"web"}}))
	must[*control.RestartReply](t)(c.Restart(ctx, control.RestartParams{Jobs: []string{"web"}}))
	must[*control.SignalReply](t)(c.Signal(ctx, control.SignalParams{Jobs: []string{"web"}, Signal: "HUP"}))
	must[*control.KillReply](t)(c.Kill(ctx, control.KillParams{Jobs: []string{"web"}}))
	must[*control.ReloadReply](t)(c.Reload(ctx))
	history := must[*control.EventsReply](t)(c.History(ctx, control.EventsParams{Since: new(int)}))
	for i, e := range history.Events {
		if e.Seq != i+1 {
			t.Errorf("event %d has the number %d", i+1, e.Seq)
		}
	}
	if err := c.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if err := c.Gone(ctx); err != nil {
		t.Error(err)
	}
}

// TestErrorsKeepTheirTypes: a Go program can tell the errors apart by their types.
func TestErrorsKeepTheirTypes(t *testing.T) {
	ctx, c := t.Context(), dial(t, controltest.Start(t))
	_, err := c.Status(ctx, control.StatusParams{Job: "nobody"})
	var notFound control.NotFound
	if !errors.As(err, &notFound) || notFound.Job != "nobody" {
		t.Errorf("for a job that does not exist the error is %v", err)
	}
	soon := int64(1)
	_, err = c.Wait(ctx, control.WaitParams{Jobs: []string{"batch"}, Until: control.UntilReady, Timeout: &soon})
	var timedOut control.TimedOut
	if !errors.As(err, &timedOut) {
		t.Errorf("when the time is up the error is %v", err)
	}
	_, err = c.Signal(ctx, control.SignalParams{Jobs: []string{"web"}})
	var invalid control.InvalidParameter
	if !errors.As(err, &invalid) || invalid.Parameter != "signal" {
		t.Errorf("without the name of a signal the error is %v", err)
	}
}

// TestRunPassesDescriptors: the output of a run goes to the pipe of the client.
func TestRunPassesDescriptors(t *testing.T) {
	ctx, c := t.Context(), dial(t, controltest.Start(t))
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	var p control.RunParams
	p.Process.Args, p.Report = []string{"/bin/sh", "-c", "echo hello; exit 7"}, true
	lease, err := c.Run(ctx, p, null, in, in)
	if err != nil {
		t.Fatal(err)
	}
	in.Close()
	var text [64]byte
	n, _ := out.Read(text[:])
	last, err := lease.Wait()
	if err != nil || *last.ExitStatus != 7 || last.Receipt == nil || string(text[:n]) != "hello\n" {
		t.Errorf("the run wrote %q and ended with %+v, %v", text[:n], last, err)
	}
	// No process has the pipe open any more.
	if n, err := out.Read(text[:]); n != 0 || err == nil {
		t.Errorf("after the end the pipe gives %d bytes, %v", n, err)
	}
}

// TestTheConnectionIsTheLease: a run that would never end is torn down when its connection closes.
func TestTheConnectionIsTheLease(t *testing.T) {
	ctx, socket := t.Context(), controltest.Start(t)
	watcher := dial(t, socket)
	holder := dial(t, socket)
	var p control.RunParams
	p.Name, p.Process.Args = "endless", []string{"/bin/sleep", "1000"}
	lease, err := holder.Run(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	if err := lease.Signal("CONT"); err != nil {
		t.Fatal(err)
	}
	holder.Close()
	ended := control.WaitParams{Jobs: []string{"endless"}, Until: control.UntilEnded}
	must[*control.WaitReply](t)(watcher.Wait(ctx, ended))
	s := must[*control.StatusReply](t)(watcher.Status(ctx, control.StatusParams{Job: "endless"}))
	if s.Receipt == nil || s.Receipt.Cause != "lease-ended" {
		t.Errorf("the receipt is %+v", s.Receipt)
	}
	if unix.Kill(s.Receipt.Pid, 0) == nil {
		t.Error("its process is alive")
	}
}

func TestDetachedRunsHaveNoLease(t *testing.T) {
	ctx, socket := t.Context(), controltest.Start(t)
	holder := dial(t, socket)
	var p control.RunParams
	p.Name, p.Detach, p.Process.Args = "apart", true, []string{"/bin/sleep", "1000"}
	lease, err := holder.Run(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	if last, err := lease.Wait(); err != nil || last.State != control.Running {
		t.Errorf("the one reply is %+v, %v", last, err)
	}
	holder.Close()
	c := dial(t, socket)
	must[*control.ListReply](t)(c.List(ctx, control.ListParams{})) // after the other's end has been seen
	must[*control.KillReply](t)(c.Kill(ctx, control.KillParams{Jobs: []string{"apart"}}))
	s := must[*control.StatusReply](t)(c.Status(ctx, control.StatusParams{Job: "apart"}))
	if s.Receipt.Cause != "killed" {
		t.Errorf("the cause of its end is %s", s.Receipt.Cause)
	}
}

// TestRunRefusesWhatItDoesNotHave: parameters of OCI that cginit lacks are refused by their names.
func TestRunRefusesWhatItDoesNotHave(t *testing.T) {
	ctx, socket := t.Context(), controltest.Start(t)
	for parameters, culprit := range map[string]string{
		`{"process":{"args":[]}}`:                                                       "process.args",
		`{"process":{"args":["a\u0000b"]}}`:                                             "process",
		`{"process":{"args":["a"],"terminal":true}}`:                                    "process.terminal",
		`{"process":{"args":["a"],"apparmorProfile":"x"}}`:                              "process.apparmorProfile",
		`{"process":{"args":["a"],"user":{"username":"root"}}}`:                         "process.user.username",
		`{"process":{"args":["a"]},"resources":{"devices":[{"allow":true}]}}`:           "resources.devices",
		`{"process":{"args":["a"]},"resources":{"memory":{"swappiness":1}}}`:            "resources.memory.swappiness",
		`{"process":{"args":["a"]},"resources":{"cpu":{"quota":1000}}}`:                 "resources.cpu.period",
		`{"process":{"args":["a"]},"resources":{"cpu":{"burst":1}}}`:                    "resources.cpu.burst",
		`{"process":{"args":["a"]},"resources":{"blockIO":{"leafWeight":10}}}`:          "resources.blockIO.leafWeight",
		`{"process":{"args":["a"]},"resources":{"unified":{"../../cgroup.procs":"1"}}}`: "resources.unified",
	} {
		r := exchange(t, socket, `{"method":"io.cginit.Run","parameters":`+parameters+"}")
		if r.Error != "io.cginit.InvalidValue" || r.Parameters["parameter"] != culprit {
			t.Errorf("%s is answered with %+v", parameters, r)
		}
	}
	var p control.RunParams
	p.Process.Args = []string{"echo", "\xff"}
	if _, err := dial(t, socket).Run(ctx, p); err == nil || !strings.Contains(err.Error(), "UTF-8") {
		t.Errorf("an argument that is not UTF-8 gave %v", err)
	}
}

// TestEventsTellWhatWasMissed makes more events than are kept, and reads them late.
func TestEventsTellWhatWasMissed(t *testing.T) {
	ctx, socket := t.Context(), controltest.Start(t)
	c := dial(t, socket)
	for range 100 {
		must[*control.RestartReply](t)(c.Restart(ctx, control.RestartParams{Jobs: []string{"web"}}))
	}
	since := 10
	r := must[*control.EventsReply](t)(c.History(ctx, control.EventsParams{Since: &since}))
	if r.Last != 200 || r.Missed != 90 || len(r.Events) != 100 || r.Events[0].Seq != 101 {
		t.Errorf("%d events up to %d, %d missed", len(r.Events), r.Last, r.Missed)
	}
}

// TestStreams: a stream has the events of the jobs that were asked for, and no others.
func TestStreams(t *testing.T) {
	socket := controltest.Start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	c, seen := dial(t, socket), 0
	for r, err := range dial(t, socket).Events(ctx, control.EventsParams{Jobs: []string{"web"}}) {
		switch {
		case err != nil:
			t.Fatal(err)
		case seen == 0 && len(r.Events) > 0:
			t.Fatalf("the stream begins with %+v", r)
		case seen == 0:
			must[*control.RestartReply](t)(c.Restart(ctx, control.RestartParams{Jobs: []string{"db", "web"}}))
		case r.Events[0].Job != "web":
			t.Errorf("the stream has an event of %s", r.Events[0].Job)
		}
		if seen++; seen == 3 {
			break
		}
	}
}

// TestAContextEndsACall: a call that is never answered ends with its context.
func TestAContextEndsACall(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := dial(t, controltest.Start(t))
	time.AfterFunc(10*time.Millisecond, cancel)
	_, err := c.Wait(ctx, control.WaitParams{Jobs: []string{"batch"}, Until: control.UntilReady})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the call ends with %v", err)
	}
}

// TestDialWaits: Dial tries again until a server listens.
func TestDialWaits(t *testing.T) {
	socket := t.TempDir() + "/s"
	_, err := control.Dial(t.Context(), socket, 0)
	if err == nil || !strings.Contains(err.Error(), "is cginit running") {
		t.Errorf("without a supervisor: %v", err)
	}
	dialled := make(chan error)
	go func() {
		c, err := control.Dial(t.Context(), socket, 5*time.Minute)
		if err == nil {
			defer c.Close()
			_, err = c.List(t.Context(), control.ListParams{})
		}
		dialled <- err
	}()
	controltest.StartWith(t, control.Config{Path: socket})
	if err := <-dialled; err != nil {
		t.Error(err)
	}
}
