package contract

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

// member returns the one process of act that does this, such as "serve web" or "master web".
func (b *box) member(does string) (m pod.Member) {
	b.t.Helper()
	pod.Until(b.t, "act "+does, func() bool {
		for _, one := range b.Tree("act") {
			command, _ := os.ReadFile("/proc/" + itoa(one.Pid) + "/cmdline")
			if strings.HasSuffix(string(command), "/act\x00"+strings.ReplaceAll(does, " ", "\x00")+"\x00") {
				m = one
			}
		}
		return m.Pid != 0
	})
	return m
}

// upgraded starts a service that has named another main process. Both live.
func upgraded(t *testing.T, l level, keys string) (b *box, c *control.Client, before, after pod.Member) {
	t.Helper()
	b, c, _ = gatedClient(t, l, "services:\n"+l.speaker("web", `exec $ACT master web`, keys))
	b.noted("web up")
	before = b.member("master web")
	if j := state(t, c, "web"); j.Pid != before.Inner {
		t.Fatalf("before, %d is shown, not %d", j.Pid, before.Inner)
	}
	signalWeb(t, c, "USR2")
	b.noted("web named", "web-new up")
	after = b.member("serve web-new")
	b.shows(c, "web", after)
	return b, c, before, after
}

// shows fails the test unless a job is in its first run and its main process is the one given.
func (b *box) shows(c *control.Client, job string, m pod.Member) {
	b.t.Helper()
	j := state(b.t, c, job)
	list, err := c.List(within(b.t), control.ListParams{Jobs: []string{job}})
	check(b.t, err)
	if j.Pid != m.Inner || list.Jobs[0].Pid != m.Inner || j.State != control.Running || j.Run != 1 {
		b.t.Errorf("%d is the main process, and it is shown as %+v; stderr: %s", m.Inner, j, b.Stderr())
	}
}

// signalWeb sends a signal to the main process of web.
func signalWeb(t *testing.T, c *control.Client, name string) {
	t.Helper()
	_, err := c.Signal(within(t), control.SignalParams{Jobs: []string{"web"}, Signal: name})
	check(t, err)
}

// kill kills a process of the pod.
func kill(t *testing.T, m pod.Member, sig unix.Signal) {
	t.Helper()
	check(t, unix.Kill(m.Pid, sig))
}

// isGone waits until a process is not there any more, not even as a zombie.
func isGone(t *testing.T, m pod.Member) {
	t.Helper()
	pod.Until(t, "the end of process "+itoa(m.Pid), func() bool { return pod.Status(m.Pid, "State") == "" })
}

// TestUpgrade checks that the process that a service names (MAINPID) is its main process: the end of the
// one before is no end of the run, and signals, stops and the receipt are about the new one.
func TestUpgrade(t *testing.T) {
	inEach(t, func(t *testing.T, l level) {
		b, c, before, after := upgraded(t, l, "stop_grace_period: 1m")
		kill(t, before, unix.SIGTERM)
		isGone(t, before)
		b.shows(c, "web", after)
		stopped, err := c.Stop(within(t), control.StopParams{Jobs: []string{"web"}})
		if err != nil || len(stopped.Receipts) != 1 {
			t.Fatalf("%+v, %v", stopped, err)
		}
		r := stopped.Receipts[0]
		if r.Pid != after.Inner || r.Cause != "stopped" || r.Code == nil || *r.Code != 0 || r.Asked != 1 || r.Left != 1 || r.Killed != 0 {
			t.Errorf("%+v", r)
		}
		check(t, c.Shutdown(within(t)))
		b.ends(0)
		b.order("web named", "web SIGTERM", "web-new SIGTERM")
	})
}

// TestUpgradedEnds checks that the end of the named process is the end of the run.
func TestUpgradedEnds(t *testing.T) {
	inEach(t, func(t *testing.T, l level) {
		b, c, before, after := upgraded(t, l, "stop_grace_period: 1m")
		kill(t, before, unix.SIGTERM)
		isGone(t, before)
		kill(t, after, unix.SIGKILL)
		b.notedTimes(2, "web up")
		check(t, c.Shutdown(within(t)))
		web := receipts(b.ends(0), "web")[0]
		if web.Pid != after.Inner || web.Cause != "exited" || web.Signal != "SIGKILL" || web.ExitStatus != 137 {
			t.Errorf("%+v", web)
		}
	})
}

// TestUpgradeFails checks that the old main process is the main process again when the named one ends
// before it.
func TestUpgradeFails(t *testing.T) {
	inEach(t, func(t *testing.T, l level) {
		b, c, before, after := upgraded(t, l, "stop_grace_period: 1m")
		files := openFiles(t, b.Pid)
		kill(t, after, unix.SIGKILL)
		b.noted("web-new ended")
		b.said(fmt.Sprintf("process %d is it again", before.Inner))
		b.shows(c, "web", before)
		signalWeb(t, c, "USR2") // it can try again
		b.notedTimes(2, "web-new up")
		b.notedTimes(2, "web named")
		again := b.member("serve web-new")
		b.shows(c, "web", again)
		kill(t, again, unix.SIGKILL)
		b.notedTimes(2, "web-new ended")
		kill(t, before, unix.SIGTERM)
		b.notedTimes(2, "web up")
		pod.Until(t, "no descriptor is left of the upgrades", func() bool { return openFiles(t, b.Pid) < files })
		check(t, c.Shutdown(within(t)))
		web := receipts(b.ends(0), "web")[0]
		if web.Pid != before.Inner || web.Cause != "exited" || web.Code == nil || *web.Code != 0 {
			t.Errorf("%+v", web)
		}
	})
}

// TestStopOfAnUpgrade checks that a stop in the middle of an upgrade asks the new main process first and
// then the old one, and waits for no time to pass.
func TestStopOfAnUpgrade(t *testing.T) {
	inEach(t, func(t *testing.T, l level) {
		b, c, _, after := upgraded(t, l, "stop_grace_period: 1h")
		stopped, err := c.Stop(within(t), control.StopParams{Jobs: []string{"web"}})
		if err != nil || len(stopped.Receipts) != 1 || stopped.Receipts[0].Cause != "stopped" || stopped.Receipts[0].Killed > 0 || stopped.Receipts[0].Pid != after.Inner {
			t.Errorf("%+v, %v", stopped, err)
		}
		check(t, c.Shutdown(within(t)))
		b.ends(0)
		b.order("web-new SIGTERM", "web SIGTERM")
	})
}

// TestMainIsLost checks that a run ends when its main process ends that another process of the job has
// started and waits for, and that the receipt does not make up how.
func TestMainIsLost(t *testing.T) {
	inEach(t, func(t *testing.T, l level) {
		b, c, open := gatedClient(t, l, "services:\n"+l.speaker("web", `$ACT master web & read x < $DIR/gate`, "stop_grace_period: 1m"), "gate")
		b.noted("web up")
		kill(t, b.member("master web"), unix.SIGUSR2)
		b.noted("web named", "web-new up")
		after := b.member("serve web-new")
		open["gate"]()
		pod.Until(t, "the end of the shell", func() bool { return len(b.Tree("sh")) == 0 })
		b.shows(c, "web", after)
		kill(t, after, unix.SIGKILL)
		b.notedTimes(2, "web up")
		check(t, c.Shutdown(within(t)))
		r := b.ends(0)
		says(t, r, fmt.Sprintf("its main process %d has ended, and only another process could learn how", after.Inner))
		if web := receipts(r, "web")[0]; web.Cause != "exited" || web.Code != nil || web.Signal != "" || web.ExitStatus != 125 || web.Pid != after.Inner {
			t.Errorf("%+v", web)
		}
	})
}

// TestMainNamedLast checks that MAINPID counts also if the main process ends right after it has said it.
func TestMainNamedLast(t *testing.T) {
	inEach(t, func(t *testing.T, l level) {
		const many = 12
		file, names := "services:\n", []string{}
		for i := range many {
			name := fmt.Sprintf("web%d", i)
			names = append(names, name)
			file += l.speaker(name, `setsid $ACT serve `+name+` & until grep -q '^`+name+` up' $LOG; do sleep 0.02; done; $ACT tell READY=1 MAINPID=$$!`, "stop_grace_period: 1m")
		}
		b, c, _ := gatedClient(t, l, file)
		_, err := c.Wait(within(t), control.WaitParams{Jobs: names, Until: control.UntilReady})
		check(t, err)
		pod.Until(t, "the end of the shells", func() bool { return len(b.Tree("sh")) == 0 })
		for _, name := range names {
			if j, m := state(t, c, name), b.member("serve "+name); j.State != control.Running || j.Run != 1 || j.Pid != m.Inner {
				t.Errorf("its main process is %d, and it is shown as %+v", m.Inner, j)
			}
		}
		check(t, c.Shutdown(within(t)))
		for _, web := range b.ends(0).Receipts {
			if web.Cause != "stopped" || web.Code == nil || *web.Code != 0 || web.Killed > 0 {
				t.Errorf("%+v", web)
			}
		}
	})
}

// TestMainPidIsRefused checks that no process becomes the main process that is not a living one of the
// job, and that the log says so without end.
func TestMainPidIsRefused(t *testing.T) {
	inEach(t, func(t *testing.T, l level) {
		b, c, _ := gatedClient(t, l, "services:\n"+
			l.speaker("other", `echo $$$$ > $DIR/other.new; mv $DIR/other.new $DIR/other; $ACT await READY=1; exec $ACT serve other`, "stop_grace_period: 1m")+
			l.speaker("web", `(sleep 0 & echo $$! > $DIR/zombie; exec sleep inf) & until [ -e $DIR/other ] && grep -q "Z (zombie)" /proc/$$(cat $DIR/zombie)/status; do sleep 0.02; done
			for pid in 1 2 4194304 $$PPID $$(cat $DIR/other) $$(cat $DIR/zombie) 1 1 1 1 1 1; do $ACT await MAINPID=$$pid; done; $ACT await READY=1; exec $ACT serve web`, "stop_grace_period: 1m"))
		b.noted("web up", "other up")
		b.shows(c, "web", b.member("serve web"))
		b.shows(c, "other", b.member("serve other"))
		check(t, c.Shutdown(within(t)))
		r := b.ends(0)
		says(t, r, "web: MAINPID=1 is ignored: it is not a living process of the job", "web: MAINPID was ignored 10 times")
		if n := strings.Count(r.Stderr, "MAINPID"); n != 2 {
			t.Errorf("%d lines: %s", n, r.Stderr)
		}
	})
}

// TestDaemonIsShown checks that the oldest daemon is shown once the main process of a forking service has
// ended, and another when that has ended.
func TestDaemonIsShown(t *testing.T) {
	inEach(t, func(t *testing.T, l level) {
		web := l.speaker("web", `$ACT daemon web; until grep -q '^web up' $LOG; do sleep 0.02; done; $ACT daemon second`, "stop_grace_period: 1m")
		b, c, _ := gatedClient(t, l, "services:\n"+strings.Replace(web, "ready: notify", "ready: forking", 1))
		_, err := c.Wait(within(t), control.WaitParams{Jobs: []string{"web"}, Until: control.UntilReady})
		check(t, err)
		b.noted("web up", "second up")
		first := b.member("serve web")
		b.shows(c, "web", first)
		events, err := c.History(within(t), control.EventsParams{Since: new(int)})
		check(t, err)
		shown := 0
		for _, e := range events.Events {
			if e.State == control.Running {
				shown = e.Pid
			}
		}
		if shown != first.Inner {
			t.Errorf("the event shows %d, not %d", shown, first.Inner)
		}
		kill(t, first, unix.SIGKILL)
		isGone(t, first)
		b.shows(c, "web", b.member("serve second"))
		check(t, c.Shutdown(within(t)))
		b.ends(0)
		b.order("second SIGTERM")
	})
}
