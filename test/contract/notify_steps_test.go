package contract

import (
	"testing"

	"github.com/cginit/cginit/init/control"
	"golang.org/x/sys/unix"
)

// TestStepsNotify checks that the STATUS= of a step is that of its job, and that nothing else of what it says
// counts.
func TestStepsNotify(t *testing.T) {
	inEach(t, func(t *testing.T, l level) {
		step := func(script string) string { return "[{command: " + sh(script) + "}]" }
		const lies = "READY=1 WATCHDOG_USEC=1 WATCHDOG=trigger STOPPING=1 MAINPID=$$$$ "
		b, c, open := gatedClient(t, l, "services:\n"+
			l.speaker("web", `echo main >> $LOG; read x < $DIR/main; $ACT await STATUS=serves READY=1; exec $ACT serve web`,
				"watchdog: 1h, stop_grace_period: 1m, "+
					"pre_start: "+step(`$ACT await STATUS=prepares `+lies+`; echo pre >> $LOG; read x < $DIR/pre`)+", "+
					"post_start: "+step(`read x < $DIR/ready; $ACT await `+lies+`STATUS=warms; echo post >> $LOG; read x < $DIR/post`)+", "+
					"pre_stop: "+step(`$ACT await STATUS=drains `+lies+`; echo stop >> $LOG; read x < $DIR/stop`)),
			"pre", "main", "ready", "post", "stop")
		main := 0
		shows := func(after string, is control.State, status string) {
			t.Helper()
			b.noted(after)
			j := state(t, c, "web")
			if j.State != is || j.Status != status || j.Run > 1 || main > 0 && j.Pid != main {
				t.Errorf("after %q: %+v; stderr: %s", after, j, b.Stderr())
			}
			main = j.Pid
		}
		shows("pre", control.Starting, "prepares")
		open["pre"]()
		shows("main", control.Starting, "")
		open["main"]()
		shows("web up", control.Running, "serves")
		open["ready"]()
		shows("post", control.Running, "warms")
		open["post"]()
		b.Signal(unix.SIGTERM)
		shows("stop", control.Stopping, "drains")
		open["stop"]()
		b.ends(0)
		b.order("web SIGTERM")
	})
}

// TestStepFeedsNoWatchdog checks that the WATCHDOG=1 of a post_start step, which is part of the start, does not
// keep a silent service.
func TestStepFeedsNoWatchdog(t *testing.T) {
	inEach(t, func(t *testing.T, l level) {
		b := start(t, l, "services:\n"+l.speaker("web", `$ACT await READY=1; exec $ACT serve web`,
			"watchdog: 1s, post_start: [{command: "+sh(`while :; do $ACT await WATCHDOG=1; sleep 0.1; done`)+"}]"))
		says(t, b.ends(125), "cannot start web: no WATCHDOG=1 came for 1s")
	})
}

// TestStepSpeaksLast checks that the READY=1 of a pre_start step does not count for the job, also if the step
// ends right after it.
func TestStepSpeaksLast(t *testing.T) {
	inEach(t, func(t *testing.T, l level) {
		const many = 12
		file := "services:\n"
		for i := range many {
			name := "web" + itoa(i)
			file += l.speaker(name, `echo `+name+` main >> $LOG; read x < $DIR/gate`,
				"pre_start: [{command: $ACT tell X=1 X=1 X=1 X=1 X=1 X=1 X=1 X=1 READY=1}]")
		}
		b, c, _ := gatedClient(t, l, file, "gate")
		for i := range many {
			b.noted("web" + itoa(i) + " main")
		}
		list, err := c.List(within(t), control.ListParams{})
		check(t, err)
		for _, j := range list.Jobs {
			if j.State != control.Starting || j.Ready != nil {
				t.Errorf("%+v", j)
			}
		}
		check(t, c.Shutdown(within(t)))
		b.ends(0)
	})
}
