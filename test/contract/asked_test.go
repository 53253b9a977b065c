package contract

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/pod"
)

// client starts a file with a control socket, and connects to it.
func client(t *testing.T, l level, file string) (b *box, c *control.Client) {
	t.Helper()
	spec := l.spec
	b = prepare(t, &spec, file)
	socket := filepath.Join(b.dir, "socket")
	spec.Args = []string{"--socket", socket, "--config", b.file}
	b.Pod = pod.Start(t, spec)
	return b, b.dial()
}

func TestRule2StartsAndStopsWhenAsked(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b, c := client(t, l, pair+`
jobs:
	hand: {command: sh -c 'echo hand >> $LOG', triggers: {manual: true}}
`)
		ctx, cancel := context.WithTimeout(t.Context(), pod.Patience)
		defer cancel()
		b.noted("db up", "web up")
		started, err := c.Start(ctx, control.StartParams{Jobs: []string{"hand"}})
		if err != nil || len(started.Jobs) != 1 {
			t.Fatalf("%+v, %v", started, err)
		}
		b.noted("hand")
		stopped, err := c.Stop(ctx, control.StopParams{Jobs: []string{"web"}}) // alone
		if err != nil || len(stopped.Receipts) != 1 || stopped.Receipts[0].Job != "web" {
			t.Fatalf("%+v, %v", stopped, err)
		}
		if len(b.pids("web")) > 0 || len(b.pids("db")) != 1 {
			t.Error("web is not stopped, or db is")
		}
		_, err = c.Start(ctx, control.StartParams{Jobs: []string{"web"}})
		check(t, err)
		b.notedTimes(2, "web up")
		stopped, err = c.Stop(ctx, control.StopParams{Jobs: []string{"db"}}) // and before it what needs it
		if err != nil || len(stopped.Receipts) != 2 {
			t.Fatalf("%+v, %v", stopped, err)
		}
		check(t, c.Shutdown(ctx)) // stopped by hand, all of it may be started again until then
		b.ends(0)
		b.order("hand", "web SIGTERM", "web up", "web SIGTERM", "db SIGTERM")
	})
}

// TestKillIsAtOnce: no step comes before it, nor after.
func TestKillIsAtOnce(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b, c := client(t, l, `
services:
	web: {command: $ACT serve web deaf, stop_grace_period: 1h, pre_stop: [{command: sleep inf}, {command: sh -c 'echo never >> $LOG'}]}
	db: {command: $ACT serve db}
`)
		ctx, cancel := context.WithTimeout(t.Context(), pod.Patience)
		defer cancel()
		b.noted("web up", "db up")
		killed, err := c.Kill(ctx, control.KillParams{Jobs: []string{"web"}})
		if err != nil || len(killed.Receipts) != 1 || killed.Receipts[0].Cause != "killed" {
			t.Errorf("%+v, %v", killed, err)
		}
		check(t, c.Shutdown(ctx))
		b.ends(0)
		if b.count("never") > 0 {
			t.Errorf("notes %q", b.notes())
		}
	})
}
