package contract

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

// The tests in this file make a request while another one is under way, or after something has happened
// in between.

// slowly is the command of a service that notes that it was asked to stop, and ends once a file called
// web exists. It polls for the file: the shell would run no trap while it waits in a read.
var slowly = sh(`trap "echo web asked >> $LOG; until [ -e $DIR/web ]; do sleep 0.02; done; exit 0" TERM; echo web up >> $LOG; while :; do sleep 0.02; done`)

// sh returns a shell with a script, as a command in the file.
func sh(script string) string {
	text, _ := json.Marshal([]string{"sh", "-c", script})
	return string(text)
}

// dial makes another connection, because a call under way blocks the replies of later calls on its
// connection.
func (b *box) dial() *control.Client {
	b.t.Helper()
	c, err := control.Dial(b.t.Context(), filepath.Join(b.dir, "socket"), pod.Patience)
	check(b.t, err)
	b.t.Cleanup(func() { c.Close() })
	return c
}

func (b *box) touch(name string) {
	b.t.Helper()
	check(b.t, os.WriteFile(filepath.Join(b.dir, name), nil, 0o666))
}

// stopping stops a job and returns a channel with the reply, without waiting for it.
func stopping(t *testing.T, c *control.Client, p control.StopParams) <-chan *control.StopReply {
	answer := make(chan *control.StopReply, 1)
	go func() {
		defer close(answer)
		reply, err := c.Stop(t.Context(), p)
		if err != nil {
			t.Error(err)
			return
		}
		answer <- reply
	}()
	return answer
}

// TestAskedToEndBesideARun stops the command while a run beside it goes on. That run must end when
// cginit is asked to.
func TestAskedToEndBesideARun(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		spec := l.spec
		b := prepare(t, &spec, "")
		spec.Args = []string{"--socket", filepath.Join(b.dir, "socket"), "--", "sleep", "1000"}
		b.Pod = pod.Start(t, spec)
		c := b.dial()
		p := control.RunParams{Detach: true}
		p.Process.Args = []string{"sh", "-c", strings.ReplaceAll(`trap "echo beside asked >> $LOG; exit 0" TERM; echo beside up >> $LOG; while :; do sleep 0.02; done`, "$LOG", b.log())}
		_, err := c.Run(t.Context(), p, os.Stdin, os.Stdout, os.Stderr)
		check(t, err)
		b.noted("beside up")
		_, err = b.dial().Stop(t.Context(), control.StopParams{Jobs: []string{"main"}})
		check(t, err)
		b.Signal(unix.SIGTERM)
		b.ends(128 + 15)
		b.noted("beside asked")
	})
}

// TestEndsBeforeItIsStopped checks that a job counts as stopped if it ends by itself while the stop
// still waits for the jobs that depend on it.
func TestEndsBeforeItIsStopped(t *testing.T) {
	for _, restart := range []string{`"no"`, "always"} {
		t.Run(restart, func(t *testing.T) {
			inLevels(t, func(t *testing.T, l level) {
				b, c := client(t, l, `
services:
	db: {command: `+sh(`echo db up >> $LOG; until [ -e $DIR/db ]; do sleep 0.02; done`)+`, restart: `+restart+`}
	web: {command: `+slowly+`, depends_on: [db], stop_grace_period: 1h}
`)
				b.noted("db up", "web up")
				stopped := stopping(t, c, control.StopParams{Jobs: []string{"db"}})
				b.noted("web asked")
				b.touch("db")
				_, err := b.dial().Wait(t.Context(), control.WaitParams{Jobs: []string{"db"}, Until: control.UntilEnded})
				check(t, err)
				b.touch("web")
				if got := <-stopped; got == nil || len(got.Receipts) != 2 {
					t.Errorf("%+v", got)
				}
				b.Signal(unix.SIGTERM)
				b.ends(0)
				if b.count("db up") != 1 {
					t.Errorf("db was started again; notes: %q", b.notes())
				}
			})
		})
	}
}

// TestScheduleGoesOn checks that a job keeps its schedule when a service that it depends on is stopped.
// A job that is stopped itself gets its schedule back when it is started.
func TestScheduleGoesOn(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b, c := client(t, l, `
services:
	db: {command: $ACT serve db}
jobs:
	tick: {command: sh -c 'echo tick >> $LOG', depends_on: [db], triggers: {schedule: ["@every 1s"]}}
`)
		more := func(n int) { b.notedTimes(b.count("tick")+n, "tick") }
		more(1)
		_, err := c.Stop(t.Context(), control.StopParams{Jobs: []string{"db"}})
		check(t, err)
		_, err = c.Start(t.Context(), control.StartParams{Jobs: []string{"db"}})
		check(t, err)
		more(2)
		_, err = c.Kill(t.Context(), control.KillParams{Jobs: []string{"tick"}})
		check(t, err)
		more(2)
		_, err = c.Stop(t.Context(), control.StopParams{Jobs: []string{"tick"}})
		check(t, err)
		_, err = c.Start(t.Context(), control.StartParams{Jobs: []string{"tick"}})
		check(t, err)
		more(2) // the first is the start itself
		b.Signal(unix.SIGTERM)
		b.ends(0)
	})
}

// TestStartInVain checks that starting a job fails if a job that it depends on has failed.
func TestStartInVain(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b, c := client(t, l, `
services:
	web: {command: $ACT serve web, depends_on: {first: {condition: service_completed_successfully}}}
jobs:
	first: {command: test ! -e $DIR/bad}
`)
		b.noted("web up")
		// web depends on first, so it is stopped too.
		_, err := c.Stop(t.Context(), control.StopParams{Jobs: []string{"first"}})
		check(t, err)
		b.touch("bad")
		_, err = c.Start(t.Context(), control.StartParams{Jobs: []string{"web"}})
		check(t, err) // the last run of first has succeeded
		_, err = c.Stop(t.Context(), control.StopParams{Jobs: []string{"web"}})
		check(t, err)
		_, _ = c.Start(t.Context(), control.StartParams{Jobs: []string{"first"}}) // first is executed, and fails
		_, err = c.Wait(t.Context(), control.WaitParams{Jobs: []string{"first"}, Until: control.UntilEnded})
		check(t, err)
		_, err = c.Start(t.Context(), control.StartParams{Jobs: []string{"web"}})
		if err == nil || !strings.Contains(err.Error(), "it depends on first, which is failed") {
			t.Error(err)
		}
		b.Signal(unix.SIGTERM)
		b.ends(0)
	})
}

// TestWaitForWhatIsGone checks that a wait for a job fails when a reload removes the job.
func TestWaitForWhatIsGone(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b, c := client(t, l, "services: {db: {command: $ACT serve db}, never: {command: $ACT serve never, ready: notify}}")
		b.noted("db up", "never up")
		waited := make(chan error, 1)
		go func() {
			_, err := c.Wait(t.Context(), control.WaitParams{Jobs: []string{"never"}, Until: control.UntilReady})
			waited <- err
		}()
		b.write("services: {db: {command: $ACT serve db}}")
		_, err := b.dial().Reload(t.Context())
		check(t, err)
		if err := <-waited; err == nil {
			t.Error("the wait reports a removed job as ready")
		}
		b.Signal(unix.SIGTERM)
		b.ends(0)
	})
}

// TestGraceOfOneStop checks that the grace period of a request holds for that stop only. It also holds
// if that stop is already under way.
func TestGraceOfOneStop(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b, c := client(t, l, `
services:
	db: {command: $ACT serve db}
	web: {command: `+slowly+`, depends_on: [db], stop_grace_period: 1h}
`)
		none := int64(0)
		b.noted("db up", "web up")
		b.touch("web")
		_, err := c.Stop(t.Context(), control.StopParams{Jobs: []string{"web"}})
		check(t, err)
		check(t, os.Remove(filepath.Join(b.dir, "web")))
		// web, which depends on db, is down already: the grace period must not be kept for its next
		// stop.
		_, err = c.Stop(t.Context(), control.StopParams{Jobs: []string{"db"}, GracePeriod: &none})
		check(t, err)
		_, err = c.Start(t.Context(), control.StartParams{Jobs: []string{"web"}})
		check(t, err)
		b.notedTimes(2, "web up")
		stopped := stopping(t, c, control.StopParams{Jobs: []string{"web"}})
		b.notedTimes(2, "web asked")
		b.touch("web")
		if got := <-stopped; got == nil || len(got.Receipts) != 1 || got.Receipts[0].Killed != 0 {
			t.Errorf("web was stopped with the grace period of another stop: %+v", got)
		}
		check(t, os.Remove(filepath.Join(b.dir, "web")))
		_, err = c.Start(t.Context(), control.StartParams{Jobs: []string{"web"}})
		check(t, err)
		b.notedTimes(3, "web up")
		stopped = stopping(t, c, control.StopParams{Jobs: []string{"web"}})
		b.notedTimes(3, "web asked")
		_, err = b.dial().Stop(t.Context(), control.StopParams{Jobs: []string{"web"}, GracePeriod: &none})
		check(t, err)
		if got := <-stopped; got == nil || len(got.Receipts) != 1 || got.Receipts[0].Signal != "SIGKILL" {
			t.Errorf("the stop under way did not take the new grace period: %+v", got)
		}
		b.Signal(unix.SIGTERM)
		b.ends(0)
	})
}

// TestReloadKeepsFlags checks that the command line still overrides the file after a reload.
func TestReloadKeepsFlags(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b := start(t, l, "stop_grace_period: 1ms\nservices: {web: {command: "+slowly+", stop_grace_period: 1h}}", "--stop-grace-period", "1h", "-v")
		b.noted("web up")
		b.said("cginit: up\n")
		b.Signal(unix.SIGHUP)
		b.said("reloaded: ")
		b.Signal(unix.SIGTERM)
		b.noted("web asked")
		b.touch("web")
		if r := receipts(b.ends(0), "web"); len(r) != 1 || r[0].Killed != 0 {
			t.Errorf("%+v", r)
		}
	})
}

// TestEndsWhileAttended checks that a run is judged by how its main process ended, even if a step or a
// check ran at that time and was killed.
func TestEndsWhileAttended(t *testing.T) {
	attendant := sh("touch $DIR/go; sleep 1000")
	main := func(code int) string {
		return sh(fmt.Sprintf("until [ -e $DIR/go ]; do sleep 0.02; done; exit %d", code))
	}
	for name, c := range map[string]struct {
		file string
		code int
		says string
	}{
		"a job, post_start":     {"jobs: {main: {command: " + main(0) + ", post_start: [{command: " + attendant + "}]}}", 0, "main/post_start: killed"},
		"a service, post_start": {"services: {main: {command: " + main(3) + ", post_start: [{command: " + attendant + "}]}}", 3, "cannot start main: exited"},
		"a service, its check": {"services: {main: {command: " + main(3) +
			", healthcheck: {test: [CMD, sh, -c, 'touch $DIR/go; sleep 1000'], interval: 10ms, retries: 1}}}", 3, "cannot start main: exited"},
	} {
		t.Run(name, func(t *testing.T) {
			inLevels(t, func(t *testing.T, l level) {
				r := start(t, l, c.file).ends(c.code)
				if !strings.Contains(r.Stderr, c.says) || strings.Contains(r.Stderr, "step 1 failed") || strings.Contains(r.Stderr, "unhealthy") {
					t.Errorf("stderr: %s", r.Stderr)
				}
			})
		})
	}
}

// TestReloadOfWhatHasRun checks that a change of its configuration does not start a job that has ended
// and does not start by itself.
func TestReloadOfWhatHasRun(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		file := `
services: {db: {command: $ACT serve db}}
jobs:
	yearly: {command: sh -c 'echo yearly >> $LOG', triggers: {schedule: ["0 3 1 1 *"], manual: true}}
	hand: {command: sh -c 'echo hand >> $LOG', triggers: {manual: true}}
	last: {command: sh -c 'echo last >> $LOG', triggers: {manual: true}}
`
		b, c := client(t, l, file)
		b.noted("db up")
		_, err := c.Start(t.Context(), control.StartParams{Jobs: []string{"yearly", "hand"}})
		check(t, err)
		_, err = c.Wait(t.Context(), control.WaitParams{Jobs: []string{"yearly", "hand"}, Until: control.UntilEnded})
		// The reply to the start came when the jobs were executed, so wait for their ends.
		check(t, err)
		b.write(strings.NewReplacer("0 3", "0 4", "echo hand", "true; echo hand").Replace(file))
		changed, err := c.Reload(t.Context())
		if err != nil || len(changed.Changed) != 2 {
			t.Fatalf("%+v, %v", changed, err)
		}
		// A run of this job shows that the reload is complete.
		_, err = c.Start(t.Context(), control.StartParams{Jobs: []string{"last"}})
		check(t, err)
		b.Signal(unix.SIGTERM)
		b.ends(0)
		if b.count("yearly") != 1 || b.count("hand") != 1 {
			t.Errorf("notes %q", b.notes())
		}
	})
}

// TestReloadWhileItStarts checks that a job that a reload adds during the start can fail the start.
func TestReloadWhileItStarts(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b := start(t, l, "services: {never: {command: $ACT serve never, ready: notify}}")
		b.noted("never up")
		b.write("services: {never: {command: $ACT serve never, ready: notify}}\njobs: {extra: {command: sh -c 'exit 4'}}")
		b.Signal(unix.SIGHUP)
		says(t, b.ends(4), "cannot start extra: exited")
	})
}

// TestUpByItsLeftovers checks that a service with leftovers: wait whose main process has ended does not
// delay the start.
func TestUpByItsLeftovers(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b := start(t, l, `
services:
	web: {command: `+sh(`$ACT serve web & echo $$$$ > $DIR/main`)+`, leftovers: wait}
	slow: {command: `+sh(`until [ -s $DIR/main ] && ! [ -e /proc/$$(cat $DIR/main) ]; do sleep 0.02; done; $ACT tell READY=1; exec $ACT serve slow`)+`, ready: notify}
`, "-v")
		b.said("cginit: up\n")
		b.noted("web up", "slow up")
		b.Signal(unix.SIGTERM)
		b.ends(0)
	})
}
