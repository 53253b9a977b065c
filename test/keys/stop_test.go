package keys

import (
	"slices"
	"strings"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/pod"
)

// asked is a script that prints the signal that asks it to end. It starts no child, because one that a
// shell has just forked still has the shell's traps, and a signal would be lost on it.
const asked = `mkfifo {dir}/$$; exec 9<>{dir}/$$; for s in TERM USR1 QUIT; do trap "echo got $s; exit 0" $s; done; echo up; read x <&9`

func stopSignal(t *testing.T) {
	t.Run("auto", autoSignal)
	t.Run("hint", hint)
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

// reloadSignal checks that a service gets this signal when it is told to reload.
func reloadSignal(t *testing.T) {
	for _, name := range []string{"HUP", "SIGUSR2"} {
		w := start(t, one("services", `trap "echo got HUP" HUP; trap "echo got USR2" USR2; trap "exit 0" TERM
			echo up; while :; do sleep 0.02; done`, "reload_signal: "+name))
		w.Line("up")
		c, err := control.Dial(t.Context(), w.dir+"/socket", pod.Patience)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		r, err := c.ReloadJobs(t.Context(), control.ReloadJobsParams{Jobs: []string{"main"}})
		if err != nil || len(r.Reloaded) != 0 || !slices.Equal(r.Signalled, []string{"main"}) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
		w.Line("got " + strings.TrimPrefix(name, "SIG"))
		w.stop()
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
	othersToo(t)
	drained(t)
}

// othersToo checks that the other processes are asked, by the stop signal, after half of the grace period if the main
// process ignores it, that the main process is not asked again itself, and that the grace period is as short as the
// budget of the shutdown.
func othersToo(t *testing.T) {
	const family = `mkfifo {dir}/fifo; trap "echo main TERM" TERM
		(exec 9<>{dir}/fifo; trap "echo child USR1; exit" USR1; touch {dir}/ready; read x <&9) &
		until [ -e {dir}/ready ]; do sleep 0.02; done
		trap "" USR1; echo up
		while kill -0 $!; do wait $!; done 2>/dev/null; echo main ends`
	for _, file := range []string{
		"stop_grace_period: 10m\n" + one("services", family, "stop_signal: USR1\nstop_grace_period: 3s"),
		"stop_grace_period: 3s\n" + one("services", family, "stop_signal: USR1\nstop_grace_period: 10m"),
	} {
		w := start(t, file)
		w.Line("up")
		r := only(t, w.stop())
		is(t, w.rest(), "child USR1\nmain ends\n")
		if r.Killed != 0 || r.Asked != 2 || r.Left != 2 || r.Phases["ask"] < 1499 {
			t.Errorf("%+v", r)
		}
	}
}

// drained checks that the others are left alone while a main process that handles the stop signal waits for them.
func drained(t *testing.T) {
	const family = `(trap "echo LOST; exit" TERM; touch {dir}/ready; for i in $(seq 20); do sleep 0.1; done; echo saved) &
		trap : TERM; until [ -e {dir}/ready ]; do sleep 0.02; done; echo up
		while kill -0 $!; do wait $!; done 2>/dev/null`
	w := start(t, one("services", family, "stop_grace_period: 3s"))
	w.Line("up")
	r := only(t, w.stop())
	is(t, w.rest(), "saved\n")
	if r.Killed != 0 || r.Asked != 1 {
		t.Errorf("%+v", r)
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

// named is a service whose program has a name. It is a shell that runs the script.
func named(name, script, keys string) string {
	return "services:\n  main:\n    command: [\"{dir}/" + name + "\"" + strings.TrimPrefix(command(script), `["sh"`) + "\n" +
		"    pre_start: [{command: [ln, -s, /bin/sh, '{dir}/" + name + "']}]\n    " + keys + "\n"
}

// autoSignal checks that a program of the table is stopped with its own signal, any other with SIGTERM, and that
// the receipt says what was sent and why.
func autoSignal(t *testing.T) {
	for name, c := range map[string]struct{ says, sent, why string }{
		"postgres": {"got INT", "SIGINT", "auto: for postgres it is its fast shutdown"},
		"app":      {"got TERM", "SIGTERM", "auto: nothing is known of this program"},
	} {
		w := start(t, named(name, strings.Replace(asked, "TERM USR1", "TERM INT USR1", 1), "stop_signal: auto"))
		w.Line("up")
		r := only(t, w.stop())
		is(t, w.rest(), c.says+"\n")
		if r.StopSignal != c.sent || r.StopWhy != c.why || r.Killed != 0 || r.Hint != "" {
			t.Errorf("%+v", r)
		}
		if want := "asked by " + c.sent + " (" + c.why + ")"; !strings.Contains(w.Stderr(), want) {
			t.Errorf("%q is not in the log: %s", want, w.Stderr())
		}
	}
}

// hint checks that the start, the receipt and the log say why a known program has to be killed.
func hint(t *testing.T) {
	const why = "waits for its clients after SIGTERM; stop_signal: SIGINT is its fast shutdown"
	w := start(t, named("postgres", deaf, "stop_grace_period: 300ms"))
	w.Line("up")
	r := only(t, w.stop())
	if want := "killed postgres after 300ms: it " + why; r.Hint != want || !strings.Contains(w.Stderr(), want) {
		t.Errorf("%q is not %q or not in %s", r.Hint, want, w.Stderr())
	}
	if !strings.Contains(w.Stderr(), "main: postgres "+why) {
		t.Errorf("the start says nothing: %s", w.Stderr())
	}
}

// successes checks that an end which counts as success is one for the exit status, depends_on and on-failure.
func successes(t *testing.T) {
	for script, keys := range map[string]string{
		"exit 143":      "success_exit_status: [7, 143]",
		"kill -USR1 $$": "success_exit_status: SIGUSR1",
		"exit 0":        "success_exit_status: []",
	} {
		file := one("jobs", script, "restart: on-failure\n"+keys) +
			entry("after", "echo after", "depends_on: {main: {condition: service_completed_successfully}}")
		w := start(t, file)
		is(t, w.rest(), "after\n")
		r := w.Wait()
		if r.Code != 0 {
			t.Errorf("%s: %d, %s", script, r.Code, r.Stderr)
		}
		for _, receipt := range r.Receipts {
			if receipt.Job == "main" && (receipt.Run != 1 || receipt.ExitStatus != 0 || receipt.Success != (script != "exit 0")) {
				t.Errorf("%+v", receipt)
			}
		}
	}
	// What the table knows counts only after a request to stop.
	for _, keys := range []string{"stop_signal: auto", "success_exit_status: auto"} {
		file := strings.Replace(named("java", "exit 143", keys+"\n    restart: 'no'"), "services:", "jobs:", 1)
		if r := start(t, file).Wait(); r.Code != 143 {
			t.Errorf("%s: a failure is %d: %s", keys, r.Code, r.Stderr)
		}
		w := start(t, named("java", `trap "exit 143" TERM; echo up; while :; do sleep 0.02; done`, keys))
		w.Line("up")
		if r := only(t, w.stop()); r.ExitStatus != 0 || !r.Success || r.StopSignal != "SIGTERM" {
			t.Errorf("%s: a graceful stop: %+v", keys, r)
		}
	}
	for script, keys := range map[string]string{
		"exit 143":      "success_exit_status: SIGTERM",
		"kill -TERM $$": "success_exit_status: 143",
	} {
		if r := start(t, one("jobs", script, keys)).Wait(); r.Code != 143 {
			t.Errorf("%s, %s: %d", script, keys, r.Code)
		}
	}
}
