package contract

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

// The tests in this file have services tell what they do (sd_notify(3)), and what they need.

// uid is the level at which each service has a uid of its own and there is no cgroup.
var uid = level{"uid", pod.Spec{Mode: pod.NoCgroup}}

// speaker returns a service that runs a script, has a NOTIFY_SOCKET and these other keys. A service
// of level uid gets a uid that no other process of its container has.
func (l level) speaker(name, script, keys string) string {
	if l.name == uid.name {
		keys += fmt.Sprintf(", user: %q", itoa(54600+int(users.Add(1))))
	}
	return fmt.Sprintf("\t%s: {command: %s, ready: notify, %s}\n", name, sh(script), keys)
}

// inEach is inLevels with level uid too.
func inEach(t *testing.T, test func(t *testing.T, l level)) {
	inLevels(t, test)
	t.Run(uid.name, func(t *testing.T) {
		t.Parallel()
		harness.AsRoot(t)
		test(t, uid)
	})
}

// gatedClient is client with gates.
func gatedClient(t *testing.T, l level, file string, gates ...string) (b *box, c *control.Client, open map[string]func()) {
	t.Helper()
	spec := l.spec
	b = prepare(t, &spec, file)
	open = map[string]func(){}
	for _, name := range gates {
		open[name] = b.gate(name)
	}
	spec.Args = []string{"--socket", b.dir + "/socket", "--config", b.file}
	b.Pod = pod.Start(t, spec)
	return b, b.dial(), open
}

// within returns a context that ends when nobody should wait any longer.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), pod.Patience)
	t.Cleanup(cancel)
	return ctx
}

// state returns what cginitctl shows of a job.
func state(t *testing.T, c *control.Client, job string) control.Job {
	t.Helper()
	reply, err := c.Status(within(t), control.StatusParams{Job: job})
	check(t, err)
	return reply.Job
}

// TestStoppingIsNoFailure checks that a service that says STOPPING=1 is shown as stopping, needs no
// WATCHDOG=1 any more and gets no signal. When it has ended, it is restarted as if it had said nothing.
func TestStoppingIsNoFailure(t *testing.T) {
	inEach(t, func(t *testing.T, l level) {
		b, c, open := gatedClient(t, l, "services:\n"+
			l.speaker("web", `$ACT await READY=1; echo web up >> $LOG; read x < $DIR/web; $ACT await WATCHDOG=1 STOPPING=1; echo says >> $LOG; read x < $DIR/web; exit 0`,
				"watchdog: 1m, stop_grace_period: 1h")+
			l.speaker("mute", `$ACT await READY=1; echo mute up >> $LOG; read x < $DIR/mute; $ACT await WATCHDOG_USEC=300000; exec sleep inf`, "watchdog: 1m"),
			"web", "mute")
		b.noted("web up", "mute up")
		open["web"]()
		b.noted("says")
		if j := state(t, c, "web"); j.State != control.Stopping || j.Pid == 0 {
			t.Errorf("it says that it stops, and is shown as %+v", j)
		}
		open["mute"]() // once its watchdog has passed, that of web would have
		b.notedTimes(2, "mute up")
		if j := state(t, c, "web"); j.State != control.Stopping || j.Run != 1 {
			t.Errorf("after the time of its watchdog it is shown as %+v", j)
		}
		open["web"]()
		b.notedTimes(2, "web up")
		check(t, c.Shutdown(within(t)))
		r := b.ends(0)
		web := receipts(r, "web")[0]
		if web.Cause != "exited" || web.ExitStatus != 0 || web.Asked+web.Killed > 0 {
			t.Errorf("%+v", web)
		}
	})
}

// TestStoppingHangs checks that a service that says STOPPING=1 and does not end is killed after its
// grace period, and restarted.
func TestStoppingHangs(t *testing.T) {
	inEach(t, func(t *testing.T, l level) {
		b := start(t, l, "services:\n"+l.speaker("web", `echo web up >> $LOG; $ACT await READY=1; $ACT await STOPPING=1; exec sleep inf`, "stop_grace_period: 200ms"))
		b.notedTimes(2, "web up")
		b.Signal(unix.SIGTERM)
		r := b.ends(0)
		web := receipts(r, "web")[0]
		if web.Cause != "failing" || web.Killed != 1 || web.Asked > 0 || len(web.Processes) != 1 || web.Phases["ask"] < 200 {
			t.Errorf("%+v", web)
		}
	})
}

// TestStoppingBeforeReady checks that a service that says STOPPING=1 before it is ready fails the start
// when it has ended, and not before: it has its grace period and not only start_timeout.
func TestStoppingBeforeReady(t *testing.T) {
	inEach(t, func(t *testing.T, l level) {
		b, open := gated(t, l, "services:\n"+
			l.speaker("web", `$ACT await STOPPING=1; echo says >> $LOG; read x < $DIR/gate; $ACT await READY=1; exit 3`, "start_timeout: 100ms, stop_grace_period: 1h")+
			"\tprobe: {command: sleep inf, healthcheck: {test: \"echo probe >> $LOG\", interval: 100ms}}\n")
		b.noted("says")
		b.notedTimes(b.count("probe")+4, "probe")
		open()
		r := b.ends(3)
		if web := receipts(r, "web"); len(web) != 1 || web[0].Cause != "exited" || web[0].Asked > 0 {
			t.Errorf("%+v; stderr: %s", web, r.Stderr)
		}
	})
}

// TestStopOfStopping checks that a service that says STOPPING=1 can be stopped, restarted and killed
// like any other.
func TestStopOfStopping(t *testing.T) {
	inEach(t, func(t *testing.T, l level) {
		b, c, _ := gatedClient(t, l, "services:\n"+
			l.speaker("web", `$ACT await READY=1 STOPPING=1; exec $ACT serve web`, "stop_grace_period: 1h, pre_stop: [{command: sleep inf}]")+
			l.speaker("deaf", `$ACT await READY=1 STOPPING=1; exec $ACT serve deaf deaf`, "stop_grace_period: 1h")+
			l.speaker("last", `$ACT await READY=1 STOPPING=1; exec $ACT serve last`, "stop_grace_period: 1h"))
		b.noted("web up", "deaf up", "last up")
		stopped, err := c.Stop(within(t), control.StopParams{Jobs: []string{"web"}})
		if err != nil || len(stopped.Receipts) != 1 || stopped.Receipts[0].Cause != "stopped" || stopped.Receipts[0].Killed > 0 {
			t.Errorf("%+v, %v", stopped, err)
		}
		if j := state(t, c, "web"); j.State != control.Idle {
			t.Errorf("stopped, it is shown as %+v", j)
		}
		_, err = c.Restart(within(t), control.RestartParams{Jobs: []string{"last"}, NoWait: true})
		check(t, err)
		b.notedTimes(2, "last up")
		grace := int64(100)
		stopped, err = c.Stop(within(t), control.StopParams{Jobs: []string{"deaf"}, GracePeriod: &grace})
		if err != nil || len(stopped.Receipts) != 1 || stopped.Receipts[0].Cause != "stopped" || stopped.Receipts[0].Killed != 1 {
			t.Errorf("%+v, %v", stopped, err)
		}
		killed, err := c.Kill(within(t), control.KillParams{Jobs: []string{"last"}})
		if err != nil || len(killed.Receipts) != 1 || killed.Receipts[0].Cause != "killed" {
			t.Errorf("%+v, %v", killed, err)
		}
		check(t, c.Shutdown(within(t)))
		b.ends(0)
		b.order("web SIGTERM")
		b.order("deaf SIGTERM")
		b.order("last SIGTERM", "last up")
	})
}

// TestStoppingEssential checks that the end of an essential service that has said STOPPING=1, and has
// to be killed then, ends everything with its exit status.
func TestStoppingEssential(t *testing.T) {
	inEach(t, func(t *testing.T, l level) {
		b, open := gated(t, l, "services:\n"+
			l.speaker("web", `$ACT await READY=1; read x < $DIR/gate; $ACT await STOPPING=1; exec sleep inf`, "essential: true, stop_grace_period: 100ms")+
			"\tdb: {command: $ACT serve db}\n", "-v")
		b.said("cginit: up\n")
		open()
		r := b.ends(128 + int(unix.SIGKILL))
		says(t, r, "web has ended, and it is essential")
		if web := receipts(r, "web"); len(web) != 1 || web[0].Cause != "failing" {
			t.Errorf("%+v", web)
		}
	})
}

// asksForMore says READY=1, and after SIGTERM asks for another hour again and again.
const asksForMore = `trap "echo asked >> $LOG; while :; do $ACT tell EXTEND_TIMEOUT_USEC=3600000000; done" TERM; $ACT await READY=1; echo web up >> $LOG; while :; do sleep 0.02; done`

// TestExtensionsAreBounded checks that no stop takes longer than the budget, however often the service
// asks for more time, and that a stop with a grace period of its own takes no longer than that.
func TestExtensionsAreBounded(t *testing.T) {
	inEach(t, func(t *testing.T, l level) {
		b, c, _ := gatedClient(t, l, "stop_grace_period: 1500ms\nservices:\n"+
			l.speaker("web", asksForMore, "stop_grace_period: 100ms"))
		grace := int64(500)
		for i, p := range []control.StopParams{{}, {GracePeriod: &grace}} {
			b.notedTimes(i+1, "web up")
			p.Jobs = []string{"web"}
			stopped, err := c.Stop(within(t), p)
			if err != nil || len(stopped.Receipts) != 1 || stopped.Receipts[0].Killed == 0 {
				t.Fatalf("%+v, %v", stopped, err)
			}
			least, most := 1400.0, 2500.0
			if p.GracePeriod != nil {
				least, most = 500, 1400
			}
			if ask := stopped.Receipts[0].Phases.Ask; ask < least || ask > most {
				t.Errorf("%+v: it was killed after %v ms", p, ask)
			}
			_, err = c.Start(within(t), control.StartParams{Jobs: []string{"web"}})
			check(t, err)
		}
		b.notedTimes(3, "web up")
		asked := time.Now()
		check(t, c.Shutdown(within(t)))
		b.ends(0)
		if took := time.Since(asked); took > 3*time.Second {
			t.Errorf("the shutdown took %v, with a budget of 1.5s", took)
		}
	})
}

// TestTimeoutIsExtended checks that EXTEND_TIMEOUT_USEC extends the timeout of a service that is up, for
// that run.
func TestTimeoutIsExtended(t *testing.T) {
	inEach(t, func(t *testing.T, l level) {
		b := start(t, l, "services:\n"+
			l.speaker("web", `$ACT await READY=1 EXTEND_TIMEOUT_USEC=1 EXTEND_TIMEOUT_USEC=3600000000 EXTEND_TIMEOUT_USEC=1; exec $ACT serve web`, "timeout: 2s")+
			l.speaker("other", `$ACT await READY=1; exec $ACT serve other`, "timeout: 2s"))
		b.noted("web up")
		b.notedTimes(3, "other up")
		b.Signal(unix.SIGTERM)
		r := b.ends(0)
		if web := receipts(r, "web"); len(web) != 1 || web[0].Cause != "stopped" {
			t.Errorf("%+v", web)
		}
	})
}

// TestWatchdogIsSet checks that WATCHDOG_USEC sets the watchdog of a run, longer or shorter than its key
// or without one, and not that of the next run.
func TestWatchdogIsSet(t *testing.T) {
	inEach(t, func(t *testing.T, l level) {
		once := `$ACT await READY=1; [ -e $DIR/NAME ] || { touch $DIR/NAME; read x < $DIR/NAME.gate; $ACT await WATCHDOG_USEC=200000; }; exec $ACT serve NAME`
		b, c, open := gatedClient(t, l, "services:\n"+
			l.speaker("none", strings.ReplaceAll(once, "NAME", "none"), "start_timeout: 1m")+
			l.speaker("shorter", strings.ReplaceAll(once, "NAME", "shorter"), "watchdog: 1h")+
			l.speaker("longer", `$ACT await WATCHDOG_USEC=3600000000 READY=1; exec $ACT serve longer`, "watchdog: 200ms")+
			l.speaker("mute", `$ACT await READY=1; read x < $DIR/mute.gate; $ACT await WATCHDOG_USEC=200000; exec $ACT serve mute`, "watchdog: 1h"),
			"none.gate", "shorter.gate", "mute.gate")
		_, err := c.Wait(within(t), control.WaitParams{Jobs: []string{"none", "shorter", "longer", "mute"}, Until: control.UntilReady})
		check(t, err)
		open["none.gate"]()
		open["shorter.gate"]()
		for range 4 {
			open["mute.gate"]()
		}
		b.notedTimes(2, "none up")
		b.notedTimes(2, "shorter up")
		b.noted("longer up")
		b.notedTimes(4, "mute up")
		b.Signal(unix.SIGTERM)
		r := b.ends(0)
		for name, causes := range map[string][]string{"none": {"failing", "stopped"}, "shorter": {"failing", "stopped"}, "longer": {"stopped"}} {
			got := receipts(r, name)
			for i, cause := range causes {
				if len(got) != len(causes) || got[i].Cause != cause {
					t.Errorf("%s: %+v", name, got)
					break
				}
			}
		}
	})
}
