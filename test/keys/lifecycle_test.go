package keys

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/pod"
)

// file returns the content of a file in {dir}.
func (w *world) file(name string) string { return file(w.dir, name) }

func file(dir, name string) string {
	text, _ := os.ReadFile(filepath.Join(dir, name))
	return string(text)
}

// dial connects to the control socket.
func (w *world) dial() *control.Client {
	w.t.Helper()
	c, err := control.Dial(w.t.Context(), w.dir+"/socket", pod.Patience)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	return c
}

// restart checks after which exit codes a service runs again, with each policy.
func restart(t *testing.T) {
	for _, c := range []struct {
		section, policy string
		ends            string // how each run ends
		runs, code      int
	}{
		{"services", "'no'", "exit 1", 1, 0},
		{"services", "on-failure", "exit 0", 1, 0},
		{"services", "on-failure:2", "exit 1", 3, 0},
		{"jobs", "'no'", "exit 1", 1, 1},
		{"jobs", "on-failure:1", "exit 4", 2, 4},
	} {
		w := start(t, one(c.section, "echo run; "+c.ends, "restart: "+c.policy))
		is(t, w.rest(), strings.Repeat("run\n", c.runs))
		if all := w.ends(c.code); len(all) != c.runs || all[len(all)-1].Run != c.runs {
			t.Errorf("%+v: %+v", c, all)
		}
	}
	for _, policy := range []string{"", "restart: always", "restart: unless-stopped"} {
		w := start(t, one("services", "echo run; exit 0", policy))
		for range 3 {
			w.Line("run")
		}
		w.stop()
	}
}

func deploy(t *testing.T) {
	for condition, runs := range map[string]int{"none": 1, "on-failure": 3, "any": 3} {
		w := start(t, one("services", "echo run; exit 1",
			"deploy:\n  restart_policy: {condition: "+condition+", delay: 1ms, max_attempts: 2, window: 1h}"))
		is(t, w.rest(), strings.Repeat("run\n", runs))
		w.ends(0)
	}
	w := start(t, one("services", "echo up; exec sleep 1000", "deploy: {replicas: 2}"))
	w.Line("up")
	w.Line("up")
	if all := w.stop(); len(all) != 2 || all[0].Job == all[1].Job {
		t.Errorf("%+v", all)
	}
}

func scale(t *testing.T) {
	w := start(t, one("services", `echo up`, "scale: 3\nrestart: 'no'\nlogging: {driver: prefix}"))
	said := w.rest()
	for _, want := range []string{"main-1 | up\n", "main-2 | up\n", "main-3 | up\n"} {
		if strings.Count(said, want) != 1 {
			t.Errorf("%q is not in the output exactly once: %s", want, said)
		}
	}
	if all := w.ends(0); len(all) != 3 {
		t.Errorf("%+v", all)
	}
	is(t, saysWith(t, "services:\n"+entry("main", "echo up", "scale: 0\n")+"jobs:\n"+entry("other", "echo other", "")), "other\n")
}

// dependsOn checks that a service starts when its dependency has reached the condition, and is stopped
// before it.
func dependsOn(t *testing.T) {
	const slow = `sleep 0.2; echo one; touch {dir}/ok; echo >&3; ` + asked
	for condition, of := range map[string]string{
		"service_started":                "services:\n" + entry("db", slow, "ready: {fd: 3}"),
		"service_healthy":                "services:\n" + entry("db", "exec 3>/dev/null; "+slow, "healthcheck: {test: [CMD, test, -e, '{dir}/ok'], interval: 50ms, retries: 1000}"),
		"service_completed_successfully": "services: {}\njobs:\n" + entry("db", "exec 3>/dev/null; sleep 0.2; echo one; echo up", ""),
	} {
		web := entry("web", "echo two; "+asked, "depends_on: {db: {condition: "+condition+"}}")
		w := start(t, strings.Replace(of, "services: {}\n", "services:\n"+web, 1)+map[bool]string{false: web}[strings.Contains(of, "{}")])
		w.Line("one")
		w.Line("two")
		w.Line("up")
		if all := w.stop(); len(all) < 2 || all[len(all)-1].Job != "db" && all[0].Job != "db" || condition != "service_completed_successfully" && all[0].Job != "web" {
			t.Errorf("%s: they ended in the order %+v", condition, all)
		}
	}
	t.Run("restart", func(t *testing.T) {
		w := start(t, "services:\n"+entry("db", "exec sleep 1000", "")+
			entry("web", "echo web; exec sleep 1000", "depends_on: {db: {condition: service_started, restart: true}, none: {condition: service_started, required: false}}"))
		w.Line("web")
		if _, err := w.dial().Restart(t.Context(), control.RestartParams{Jobs: []string{"db"}}); err != nil {
			t.Fatal(err)
		}
		w.Line("web")
		w.stop()
	})
}

// preStart checks that the steps end before the main process starts, and that a step that fails fails
// the start.
func preStart(t *testing.T) {
	is(t, says(t, "pre_start:\n  - command: [sh, -c, 'sleep 0.1; echo first']\n  - command: echo second\n    user: '1234'", "echo third"),
		"first\nsecond\nthird\n")
	w := start(t, one("jobs", "echo third", "pre_start: [{command: 'false'}]"))
	is(t, w.rest(), "")
	w.ends(1)
	if !strings.Contains(w.Stderr(), "its pre_start step 1 failed") {
		t.Errorf("stderr: %s", w.Stderr())
	}
}

// postStart checks that the steps run when the service is ready.
func postStart(t *testing.T) {
	w := start(t, one("services", `echo one; echo >&3; `+asked, "ready: {fd: 3}\npost_start: [{command: echo two}]"))
	w.Line("one")
	w.Line("two")
	w.stop()
}

// ready checks, for each way to be ready, that another job waits for it.
func ready(t *testing.T) {
	const notify = `perl -MSocket -e 'socket(S, AF_UNIX, SOCK_DGRAM, 0); ($n = $ENV{NOTIFY_SOCKET}) =~ s/^@/\0/; send(S, $ARGV[0], 0, pack_sockaddr_un($n))' `
	for way, script := range map[string]string{
		"notify":  "sleep 0.2; echo one; " + notify + "READY=1; " + asked,
		"'fd: 5'": "sleep 0.2; echo one; echo >&5; " + asked,
		"forking": "sleep 0.2; echo one; (" + asked + ") & exit 0",
	} {
		w := start(t, "services:\n"+entry("db", script, "ready: "+way)+entry("web", "echo two; exec sleep 1000", "depends_on: [db]"))
		w.Line("one")
		w.Line("two")
		if all := w.stop(); len(all) != 2 || all[1].Killed != 0 {
			t.Errorf("%s: %+v", way, all)
		}
	}
}

func startTimeout(t *testing.T) {
	w := start(t, one("services", "exec sleep 1000", "ready: notify\nstart_timeout: 200ms"))
	w.rest()
	if r := w.Wait(); r.Code == 0 || r.Clean() != nil || !strings.Contains(r.Stderr, "not ready") {
		t.Errorf("%d, %v: %s", r.Code, r.Clean(), r.Stderr)
	}
}

// watchdog checks that a silent service is started again.
func watchdog(t *testing.T) {
	w := start(t, one("services", `echo "every $WATCHDOG_USEC"; exec sleep 1000`, "watchdog: 300ms\ndeploy: {restart_policy: {delay: 1ms}}"))
	w.Line("every 300000")
	w.Line("every 300000")
	w.stop()
}

// triggers checks that a job runs at its times, or when it is started by hand, as its triggers say.
func triggers(t *testing.T) {
	w := start(t, one("jobs", "echo run", "triggers: {schedule: ['@every 1s']}"))
	w.Line("run")
	w.Line("run")
	w.stop()
	w = start(t, "services:\n"+entry("other", "echo up; exec sleep 1000", "")+"jobs:\n"+entry("main", "echo run", "triggers: {manual: true}"))
	w.Line("up")
	if _, err := w.dial().Start(t.Context(), control.StartParams{Jobs: []string{"main"}}); err != nil {
		t.Fatal(err)
	}
	w.Line("run")
	w.stop()
	w = start(t, "services:\n"+entry("other", "echo up; exec sleep 1000", "")+
		"jobs:\n"+entry("main", "echo run", "triggers: {manual: false, schedule: ['@yearly']}"))
	w.Line("up")
	_, err := w.dial().Start(t.Context(), control.StartParams{Jobs: []string{"main"}})
	if err == nil || !strings.Contains(err.Error(), "by its schedule only") {
		t.Errorf("a job without the manual trigger must not be started by hand, but got: %v", err)
	}
	w.stop()
}
