package docker

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cginit/cginit/test/internal/engine"
)

// stop runs docker stop with its default of ten seconds. It returns the exit status and the signals
// that docker has sent to the container.
func stop(t *testing.T, b *engine.Box) (status int, signals []string) {
	t.Helper()
	since := time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)
	b.Output(t, "stop", b.Name)
	status = b.Wait()
	until := time.Now().Add(time.Minute).UTC().Format(time.RFC3339)
	events := b.Command(t, "events", "--since", since, "--until", until, "--filter", "container="+b.Name,
		"--filter", "event=kill", "--filter", "event=die", "--format", "{{.Action}} {{.Actor.Attributes.signal}}")
	out := &engine.Transcript{}
	events.Stdout = out
	if err := events.Start(); err != nil {
		t.Fatal(err)
	}
	out.Until(t, "die")
	_, _ = events.Process.Kill(), events.Wait() // otherwise it would run for a minute more
	for line := range strings.Lines(out.String()) {
		if signal, ok := strings.CutPrefix(strings.TrimSpace(line), "kill "); ok {
			signals = append(signals, signal)
		}
	}
	return status, signals
}

func TestStop(t *testing.T) {
	d := v2(t)
	for _, c := range []struct {
		name, command string
		status        int
		killed        bool
	}{
		{"graceful", `trap "echo bye; exit 0" TERM; echo up; sleep 1001 & wait`, 0, false},
		{"ignored", `trap "" TERM; echo up; while :; do sleep 1; done`, 137, true},
	} {
		for level, opts := range map[string][]string{"pidns": nil, "cgroup": d.writable} {
			t.Run(c.name+" at level "+level, func(t *testing.T) {
				t.Parallel()
				b, status, signals := stopped(t, d, opts, c.command)
				// Docker sends SIGKILL after ten seconds. cginit leaves it the last of these seconds to
				// see the end. On a busy machine that may not be enough, so try again.
				for again := 2; again > 0 && slices.Contains(signals, "9"); again-- {
					b, status, signals = stopped(t, d, opts, c.command)
				}
				if status != c.status {
					t.Errorf("the container ended with %d, not %d", status, c.status)
				}
				if !slices.Equal(signals, []string{"15"}) {
					t.Fatalf("docker sent the signals %v, not SIGTERM alone", signals)
				}
				r := b.Receipt()
				if r.Cause != "stopped" || r.Containment != level || r.ExitStatus != c.status || (r.Killed > 0) != c.killed || r.Unkillable > 0 {
					t.Errorf("the receipt is wrong: %+v", r)
				}
			})
		}
	}
}

// stopped starts a container, stops it when it is up, and returns how it ended.
func stopped(t *testing.T, d *daemon, opts []string, command string) (b *engine.Box, status int, signals []string) {
	t.Helper()
	b = d.Start(t, opts, "--", "sh", "-c", command)
	b.Says("up")
	b.Alive(2)
	status, signals = stop(t, b)
	return b, status, signals
}

// TestKill checks that nothing is left when docker kills the container. The kernel guarantees that, and
// there is no receipt.
func TestKill(t *testing.T) {
	d := v2(t)
	for name, opts := range map[string][]string{"default": nil, "writable cgroup": d.writable, "not process 1": {"--init"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := d.Start(t, opts, "--", "sh", "-c", `trap "" TERM; (setsid sleep 1001 &); echo up; sleep 1002`)
			b.Says("up")
			b.Alive(3)
			b.Output(t, "kill", b.Name)
			if status := b.Wait(); status != 137 {
				t.Errorf("the container ended with %d", status)
			}
		})
	}
}

// TestWithoutCapKill checks that a command that kill(2) refuses to signal is asked to end all the same: where
// it can have another user at all, there is CAP_SETUID.
func TestWithoutCapKill(t *testing.T) {
	d := v2(t)
	for level, options := range map[string][]string{"pidns": nil, "cgroup": d.writable} {
		t.Run(level, func(t *testing.T) {
			t.Parallel()
			opts := append([]string{"--cap-drop", "ALL", "--cap-add", "SETUID", "--cap-add", "SETGID"}, options...)
			b := d.Start(t, opts, "--user", "1000", "--stop-grace-period", "1h", "--", "sh", "-c", `trap "exit 7" TERM; echo up; while :; do sleep 0.02; done`)
			b.Says("up")
			b.Output(t, "kill", "--signal", "TERM", b.Name)
			if status := b.Wait(); status != 7 {
				t.Errorf("the container ended with %d, not 7; the log says %q", status, b.Logs())
			}
		})
	}
}
