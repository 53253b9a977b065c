package contract

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

// reloads returns a script that is ready, does something at SIGHUP, and ends at SIGTERM.
func reloads(atHUP string) string {
	return `trap '` + atHUP + `' HUP; trap 'exit 0' TERM; $ACT await STATUS=works READY=1; echo up >> $LOG; while :; do sleep 0.02; done`
}

// reload tells jobs to reload, and returns a channel with the answer.
func reload(t *testing.T, b *box, timeout int64, jobs ...string) <-chan string {
	t.Helper()
	p := control.ReloadJobsParams{Jobs: jobs}
	if timeout > 0 {
		p.Timeout = &timeout
	}
	c, answer := b.dial(), make(chan string, 1)
	go func() {
		r, err := c.ReloadJobs(within(t), p)
		if err != nil {
			answer <- err.Error()
			return
		}
		answer <- fmt.Sprintf("reloaded %v, signalled %v", r.Reloaded, r.Signalled)
	}()
	return answer
}

// is fails the test unless got is want.
func is(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%q, not %q", got, want)
	}
}

// TestJobReloads checks that a job that says so (RELOADING=1) is waited for until READY=1, and is shown as
// reloading meanwhile, and that another reload is waited for as well.
func TestJobReloads(t *testing.T) {
	inEach(t, func(t *testing.T, l level) {
		b, c, open := gatedClient(t, l, "services:\n"+l.speaker("web",
			reloads(`n=x$$n; $ACT await RELOADING=1 "STATUS=reads its file"; echo begun >> $LOG; read go < $DIR/gate$$n; $ACT await READY=1 STATUS=works`),
			"reload_signal: HUP"), "gatex", "gatexx")
		b.noted("up")
		if j := state(t, c, "web"); j.Reloading || j.Status != "works" {
			t.Errorf("before: %+v", j)
		}
		answer := reload(t, b, 0, "web")
		b.noted("begun")
		if j := state(t, c, "web"); !j.Reloading || j.Status != "reads its file" || j.State != control.Running {
			t.Errorf("meanwhile: %+v", j)
		}
		out, err := exec.CommandContext(t.Context(), harness.Bin(t, "cginitctl"), "--socket", b.dir+"/socket", "ps").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "running, reloading") || !strings.Contains(string(out), "reads its file") {
			t.Errorf("ps: %v: %s", err, out)
		}
		select {
		case got := <-answer:
			t.Errorf("answered too early: %s", got)
		default:
		}
		open["gatex"]()
		is(t, <-answer, "reloaded [web], signalled []")
		if j := state(t, c, "web"); j.Reloading || j.Run != 1 {
			t.Errorf("after: %+v", j)
		}
		answer = reload(t, b, 0, "web", "web")
		open["gatexx"]()
		is(t, <-answer, "reloaded [web], signalled []")
		if n := b.count("begun"); n != 2 {
			t.Errorf("it has reloaded %d times, not twice", n)
		}
		check(t, c.Shutdown(within(t)))
		b.ends(0)
	})
}

// TestJobDoesNotSay checks that a job that never says RELOADING=1, and one without a NOTIFY_SOCKET, are sent the
// signal, and that a message from before the first READY=1, such as haproxy's, is no reload.
func TestJobDoesNotSay(t *testing.T) {
	inEach(t, func(t *testing.T, l level) {
		hup := reloads("echo hup >> $LOG")
		b, c := client(t, l, "services:\n"+
			l.speaker("early", "$ACT await RELOADING=1; "+hup, "reload_signal: HUP")+
			"\tplain: {command: "+sh(strings.Replace(hup, "$ACT await STATUS=works READY=1; ", "", 1))+", reload_signal: HUP}\n")
		b.notedTimes(2, "up")
		if j := state(t, c, "early"); j.Reloading {
			t.Errorf("%+v", j)
		}
		is(t, <-reload(t, b, 0, "plain", "early"), "reloaded [], signalled [plain early]")
		b.notedTimes(2, "hup")
		check(t, c.Shutdown(within(t)))
		b.ends(0)
	})
}

// TestJobEndsInsteadOfReloading checks that the call says how the job has ended, if it has said that it reloads and
// if not, and also if it is stopped meanwhile.
func TestJobEndsInsteadOfReloading(t *testing.T) {
	inEach(t, func(t *testing.T, l level) {
		b, c := client(t, l, "services:\n"+
			l.speaker("web", reloads("$ACT await RELOADING=1; exit 3"), "reload_signal: HUP, restart: 'no'")+
			l.speaker("db", reloads("exit 4"), "reload_signal: HUP, restart: 'no'")+
			l.speaker("slow", reloads("$ACT await RELOADING=1; echo begun >> $LOG"), "reload_signal: HUP"))
		b.notedTimes(3, "up")
		for job, code := range map[string]string{"web": "exit code 3", "db": "exit code 4"} {
			got := <-reload(t, b, 0, job)
			if !strings.HasPrefix(got, job+": it has ended instead of reloading: exited after ") || !strings.HasSuffix(got, code) {
				t.Errorf("%s: %s", job, got)
			}
		}
		answer := reload(t, b, 0, "slow")
		b.noted("begun")
		_, err := c.Stop(within(t), control.StopParams{Jobs: []string{"slow"}})
		check(t, err)
		if got := <-answer; !strings.HasPrefix(got, "slow: it has ended instead of reloading: stopped after ") {
			t.Error(got)
		}
		check(t, c.Shutdown(within(t)))
		b.ends(0)
	})
}

// TestReloadTakesTooLong checks that the call has a time limit, after which the job goes on.
func TestReloadTakesTooLong(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b, c := client(t, l, "services:\n"+l.speaker("web", reloads("$ACT await RELOADING=1"), "reload_signal: HUP"))
		b.noted("up")
		is(t, <-reload(t, b, 100, "web"), "timed out waiting for web")
		out, err := exec.CommandContext(t.Context(), harness.Bin(t, "cginitctl"), "--socket", b.dir+"/socket", "reload", "--timeout", "100ms", "web").CombinedOutput()
		if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != 124 {
			t.Errorf("cginitctl: %v: %s", err, out)
		}
		if j := state(t, c, "web"); !j.Reloading || j.Run != 1 {
			t.Errorf("%+v", j)
		}
		check(t, c.Shutdown(within(t)))
		b.ends(0)
	})
}

// TestDaemonReloads checks that with "ready: forking" the daemon gets the signal.
func TestDaemonReloads(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b, c := client(t, l, `
services:
	web: {command: 'sh -c "$ACT daemon web; exit 0"', ready: forking, reload_signal: USR1, restart: 'no'}
`)
		b.noted("web up")
		_, err := c.Wait(within(t), control.WaitParams{Jobs: []string{"web"}, Until: control.UntilReady})
		check(t, err)
		if got := <-reload(t, b, 0, "web"); !strings.HasPrefix(got, "web: it has ended instead of reloading: ") {
			t.Error(got) // "act serve" ends by the signal
		}
		b.noted("web SIGUSR1")
		check(t, c.Shutdown(within(t)))
		b.ends(0)
	})
}

// TestAwaitedReload checks that a main process that waits for the signal instead of catching it can be reloaded.
func TestAwaitedReload(t *testing.T) {
	inEach(t, func(t *testing.T, l level) {
		b, c := client(t, l, `
services:
	web:
		command:
			- python3
			- -c
			- |
				import os, signal
				signal.pthread_sigmask(signal.SIG_BLOCK, {1})
				log = open(os.environ["LOG"], "a")
				print("up", file=log, flush=True)
				signal.sigwait({1})
				print("hup", file=log, flush=True)
				signal.pause()
		reload_signal: HUP
`)
		b.noted("up")
		is(t, <-reload(t, b, 0, "web"), "reloaded [], signalled [web]")
		b.noted("hup")
		check(t, c.Shutdown(within(t)))
		b.ends(0)
	})
}

// TestReloadIsRefused checks that a job that cannot reload now is sent nothing, nor are those named with it, and that
// the reason is said.
func TestReloadIsRefused(t *testing.T) {
	inEach(t, func(t *testing.T, l level) {
		hup := reloads("echo hup >> $LOG")
		b, c := client(t, l, "services:\n"+l.speaker("web", hup, "reload_signal: HUP")+l.speaker("none", hup, "labels: {}")+
			l.speaker("deaf", `trap "" HUP; `+reloads("exit 1"), "reload_signal: USR1")+`
jobs:
	manual: {command: sleep inf, reload_signal: HUP, triggers: {manual: true}}
`)
		b.notedTimes(3, "up")
		refused := func(job string, reason string) {
			t.Helper()
			is(t, <-reload(t, b, 0, "web", job), job+" is "+reason)
		}
		refused("none", "running: it has no reload_signal (a key of the file)")
		refused("manual", "idle: only a running job can be reloaded")
		refused("deaf", "running: its main process does not handle SIGUSR1, as far as we can see (cginitctl signal sends it all the same)")
		is(t, <-reload(t, b, 0, "nobody"), `there is no job "nobody" (cginitctl ps lists them)`)
		is(t, <-reload(t, b, 0, ""), `there is no job "" (cginitctl ps lists them)`)

		_, err := c.Freeze(within(t), control.FreezeParams{Jobs: []string{"web"}})
		check(t, err)
		is(t, <-reload(t, b, 0, "web"), "web is running: it is frozen")
		_, err = c.Thaw(within(t), control.ThawParams{Jobs: []string{"web"}})
		check(t, err)
		pid := state(t, c, "web").Pid
		stands := func(still bool) {
			t.Helper()
			pod.Until(t, fmt.Sprintf("web stands still: %v", still), func() bool {
				return slices.ContainsFunc(b.Tree("sh"), func(m pod.Member) bool {
					return m.Inner == pid && strings.HasPrefix(pod.Status(m.Pid, "State"), "T") == still
				})
			})
		}
		signalWeb(t, c, "STOP")
		stands(true)
		is(t, <-reload(t, b, 0, "web"), "web is running: its main process is stopped by a signal; SIGCONT continues it")
		signalWeb(t, c, "CONT")
		stands(false)
		if n := b.count("hup"); n != 0 {
			t.Errorf("signals were sent: %q", b.notes())
		}
		is(t, <-reload(t, b, 0, "web"), "reloaded [], signalled [web]")
		b.Signal(unix.SIGTERM)
		b.ends(0)
	})
}
