package control_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/cginit/cginit/init/control/controltest"
	"github.com/varlink/go/varlink"
	"github.com/varlink/go/varlink/idl"
)

// TestIndependentClient calls a supervisor with a Varlink library that is not ours and does not know
// io.cginit. CGINIT_TEST_SOCKET names the socket of a supervisor with a job web. Without the variable
// the test calls the loop of package controltest.
func TestIndependentClient(t *testing.T) {
	socket := os.Getenv("CGINIT_TEST_SOCKET")
	if socket == "" {
		socket = controltest.Start(t)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	c, err := varlink.NewConnection(ctx, "unix:"+socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()

	// Introspect.
	var vendor, product, version, url string
	var interfaces []string
	err = c.GetInfo(ctx, &vendor, &product, &version, &url, &interfaces)
	if err != nil || !slices.Contains(interfaces, "io.cginit") {
		t.Fatalf("the interfaces are %v, %v", interfaces, err)
	}
	description, err := c.GetInterfaceDescription(ctx, "io.cginit")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := idl.New(description)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"List", "Run", "Events", "Stop"} {
		if !slices.ContainsFunc(parsed.Methods, func(m *idl.Method) bool { return m.Name == name }) {
			t.Errorf("the interface has no %s", name)
		}
	}

	// List.
	var jobs struct {
		Jobs []struct{ Name, State string } `json:"jobs"`
	}
	if err := c.Call(ctx, "io.cginit.List", struct{}{}, &jobs); err != nil || jobs.Jobs[0].Name != "web" {
		t.Fatalf("the jobs are %+v, %v", jobs, err)
	}

	// Run a command, and stream its events.
	events, err := varlink.NewConnection(ctx, "unix:"+socket)
	if err != nil {
		t.Fatal(err)
	}
	defer events.Close()
	type object = map[string]any
	next, err := events.Send(ctx, "io.cginit.Events", object{"jobs": []string{"other"}}, varlink.More)
	if err != nil {
		t.Fatal(err)
	}
	var happened struct {
		Events []struct{ Kind, State string }
	}
	if flags, err := next(ctx, &happened); err != nil || flags&varlink.Continues == 0 {
		t.Fatalf("the stream begins with %v, %v", flags, err)
	}
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	run, err := c.SendWithFDs(ctx, "io.cginit.Run", object{
		"name": "other", "process": object{"args": []string{"/bin/sleep", "1000"}},
	}, varlink.More, []*os.File{null, null, null})
	if err != nil {
		t.Fatal(err)
	}
	var reply struct{ State, Job string }
	if flags, _, err := run(ctx, &reply); err != nil || flags&varlink.Continues == 0 || reply.Job != "other" {
		t.Fatalf("the first reply is %+v, %v", reply, err)
	}

	// Stop the run, on another connection.
	stopper, err := varlink.NewConnection(ctx, "unix:"+socket)
	if err != nil {
		t.Fatal(err)
	}
	defer stopper.Close()
	var stopped struct{ Receipts []struct{ Cause string } }
	err = stopper.Call(ctx, "io.cginit.Stop", object{"jobs": []string{"other"}}, &stopped)
	if err != nil || stopped.Receipts[0].Cause != "stopped" {
		t.Fatalf("stopping gives %+v, %v", stopped, err)
	}
	if flags, _, err := run(ctx, &reply); err != nil || flags&varlink.Continues != 0 || reply.State != "ended" {
		t.Fatalf("the last reply is %+v, %v", reply, err)
	}
	for last := ""; last != "receipt"; last = happened.Events[0].Kind {
		if _, err := next(ctx, &happened); err != nil {
			t.Fatal(err)
		}
	}

	// Errors keep their names and parameters.
	err = stopper.Call(ctx, "io.cginit.Stop", object{"jobs": []string{"nobody"}}, nil)
	var failed *varlink.Error
	if !errors.As(err, &failed) || failed.Name != "io.cginit.NotFound" {
		t.Fatalf("for a job that does not exist the error is %v", err)
	}
	if p, err := json.Marshal(failed.Parameters); string(p) != `{"job":"nobody"}` {
		t.Errorf("its parameters are %s, %v", p, err)
	}
}
