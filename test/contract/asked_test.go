package contract

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/pod"
)

// client runs cginit with a file and a control socket, and connects to the socket.
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
		// No other job depends on web, so it is stopped alone.
		stopped, err := c.Stop(ctx, control.StopParams{Jobs: []string{"web"}})
		if err != nil || len(stopped.Receipts) != 1 || stopped.Receipts[0].Job != "web" {
			t.Fatalf("%+v, %v", stopped, err)
		}
		if len(b.pids("web")) > 0 || len(b.pids("db")) != 1 {
			t.Error("web still runs, or db does not run")
		}
		_, err = c.Start(ctx, control.StartParams{Jobs: []string{"web"}})
		check(t, err)
		b.notedTimes(2, "web up")
		// web depends on db, so it is stopped first.
		stopped, err = c.Stop(ctx, control.StopParams{Jobs: []string{"db"}})
		if err != nil || len(stopped.Receipts) != 2 {
			t.Fatalf("%+v, %v", stopped, err)
		}
		// All jobs were stopped by request, so they could still be started again. Hence cginit goes on
		// until it is shut down.
		check(t, c.Shutdown(ctx))
		b.ends(0)
		b.order("hand", "web SIGTERM", "web up", "web SIGTERM", "db SIGTERM")
	})
}

// TestKillIsAtOnce checks that a kill runs no pre_stop steps.
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
