package controlled

import (
	"context"
	"slices"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/box"
	"github.com/cginit/cginit/test/internal/pod"
)

// TestStopWhileStarting: who stops a service that never gets ready lets the start go on
// without it.
func TestStopWhileStarting(t *testing.T) {
	b := box.Start(t, pod.Process1, `
services:
  web: {command: [sleep, '1000']}
  never: {command: [sleep, '1000'], ready: notify}
`)
	b.Await(t, control.UntilReady, "web")
	if _, err := b.Stop(t.Context(), control.StopParams{Jobs: []string{"never"}}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), pod.Patience)
	defer cancel()
	for reply, err := range b.Dial(t).Events(ctx, control.EventsParams{Since: new(int)}) {
		if err != nil {
			t.Fatalf("it never says that it is up: %v", err)
		}
		if slices.ContainsFunc(reply.Events, func(e control.Event) bool {
			return e.Kind == control.EventSupervisor && e.Message == "up"
		}) {
			break
		}
	}
	b.End(t, 0)
}
