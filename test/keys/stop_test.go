package keys

import (
	"strings"
	"testing"
)

// asked is a script that prints the signal that asks it to end. It starts no child, because one that a
// shell has just forked still has the shell's traps, and a signal would be lost on it.
const asked = `mkfifo {dir}/$$; exec 9<>{dir}/$$; for s in TERM USR1 QUIT; do trap "echo got $s; exit 0" $s; done; echo up; read x <&9`

func stopSignal(t *testing.T) {
	for keys, want := range map[string]string{"": "got TERM", "stop_signal: SIGUSR1": "got USR1", "stop_signal: QUIT": "got QUIT"} {
		w := start(t, one("services", asked, keys))
		w.Line("up")
		r := only(t, w.stop())
		is(t, w.rest(), want+"\n")
		if r.Cause != "stopped" || r.Killed != 0 {
			t.Errorf("%+v", r)
		}
	}
}

// deaf is a script that ignores SIGTERM.
const deaf = `trap "" TERM; echo up; exec sleep 1000`

// gracePeriod checks that a service that ignores SIGTERM is killed after its own grace period, or
// within the budget of the shutdown.
func gracePeriod(t *testing.T) {
	for _, file := range []string{
		"stop_grace_period: 10m\n" + one("services", deaf, "stop_grace_period: 300ms"),
		// Half of the budget is kept for the kill.
		"stop_grace_period: 600ms\n" + one("services", deaf, "stop_grace_period: 10m"),
	} {
		w := start(t, file)
		w.Line("up")
		r := only(t, w.stop())
		if ask := r.Phases["ask"]; r.Killed != 1 || r.Signal != "SIGKILL" || ask < 299 || ask > 120_000 {
			t.Errorf("%+v", r)
		}
	}
}

// killMode checks which processes get the stop signal.
func killMode(t *testing.T) {
	const family = `trap exit USR1
		mkfifo {dir}/fifo
		(exec 9<>{dir}/fifo; trap "trap '' TERM; echo child USR1; exit" USR1; trap "echo child TERM; exit" TERM; echo up; read x <&9) &
		wait`
	for mode, want := range map[string]struct {
		said   string
		killed int
	}{
		"mixed":         {"child TERM\n", 0},
		"control-group": {"child USR1\n", 0},
		"process":       {"", 1},
	} {
		w := start(t, one("services", family, "stop_signal: USR1\nkill_mode: "+mode))
		w.Line("up")
		r := only(t, w.stop())
		if said := w.rest(); said != want.said || r.Killed != want.killed {
			t.Errorf("%s: the child says %q, %d were killed: %+v", mode, said, r.Killed, r)
		}
	}
}

// leftovers checks what happens to a child when the main process ends by itself.
func leftovers(t *testing.T) {
	const family = `mkfifo {dir}/up {dir}/never; main=$$
		(exec 9<>{dir}/never; trap "echo asked; exit" TERM; echo >{dir}/up; LASTS; echo left) &
		read up <{dir}/up`
	for way, want := range map[string]string{"stop": "asked\n", "wait": "left\n", "kill": ""} {
		lasts := "read x <&9"
		if way == "wait" {
			lasts = "while kill -0 $main 2>/dev/null; do sleep 0.01; done"
		}
		w := start(t, one("jobs", strings.Replace(family, "LASTS", lasts, 1), "leftovers: "+way))
		is(t, w.rest(), want)
		if r := only(t, w.ends(0)); (r.Killed > 0) != (way == "kill") {
			t.Errorf("%s: %+v", way, r)
		}
	}
}

func timeout(t *testing.T) {
	w := start(t, one("jobs", "echo up; exec sleep 1000", "timeout: 300ms"))
	w.Line("up")
	if r := only(t, w.ends(124)); r.Cause != "timed-out" || r.Phases["run"] < 299 {
		t.Errorf("%+v", r)
	}
}

// essential checks that all jobs end with an essential one, and that cginit exits with its status.
func essential(t *testing.T) {
	w := start(t, "services:\n"+entry("main", "exit 7", "essential: true\nrestart: 'no'\ndepends_on: [other]")+
		entry("other", strings.Replace(asked, "echo up", "echo >&3", 1), "ready: {fd: 3}"))
	w.Line("got TERM")
	if all := w.ends(7); len(all) != 2 || all[0].Job != "main" || all[1].Job != "other" {
		t.Errorf("%+v", all)
	}
}

// preStop checks that the steps run one after the other, beside the main process and before it is asked
// to stop.
func preStop(t *testing.T) {
	w := start(t, one("services", asked, `pre_stop:
  - command: [sh, -c, 'echo "first, in $$PWD with $$A"']
    working_dir: /usr
    environment: {A: a}
  - command: [sh, -c, 'echo second, as $$(id -u)']
    user: '1234'
  - command: [sleep, '1000']
    timeout: 200ms`))
	w.Line("up")
	w.stop()
	is(t, w.rest(), "first, in /usr with a\nsecond, as 1234\ngot TERM\n")
}
