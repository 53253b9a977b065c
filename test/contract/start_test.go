package contract

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

func itoa(n int) string { return strconv.Itoa(n) }

// asked stands for the status of a service that was asked to end: 143, or 125 if it then exited with 0.
const asked = -1

// badStart is a file whose start fails, with the message and the exit status of cginit.
type badStart struct {
	file string
	code int
	said string
}

// badStarts are the ways in which a start fails after another service, db, has started.
var badStarts = map[string]badStart{
	"a service ends before it is ready": {
		`
	web: {command: 'sh -c "echo first; echo last; exit 3"', ready: notify, logging: {driver: prefix}, depends_on: [db]}`,
		3, "cannot start web: exited after ",
	},
	"its last lines": {
		`
	web: {command: 'sh -c "echo first; echo last; exit 3"', ready: notify, logging: {driver: json}, depends_on: [db]}`,
		3, "exit code 3; its last lines: first | last\n",
	},
	"a service is done before it is ready": {
		`
	web: {command: "true", ready: notify, depends_on: [db]}`,
		125, "cannot start web: exited after ",
	},
	"an essential service ends before it is ready": {
		`
	web: {command: "true", ready: notify, essential: true, depends_on: [db]}`,
		125, "cannot start web: exited after ",
	},
	"a service ends while others start": {
		`
	web: {command: "sh -c 'exit 4'", depends_on: [db]}
	slow: {command: $ACT serve slow, ready: notify, depends_on: [db]}`,
		4, "cannot start web: exited after ",
	},
	"start_timeout": {
		`
	web: {command: $ACT serve web, ready: notify, start_timeout: 200ms, depends_on: [db]}`,
		asked, "cannot start web: it was not ready in 200ms (start_timeout)",
	},
	"start_timeout, of a step": {
		`
	web: {command: $ACT serve web, pre_start: [{command: sleep inf}], start_timeout: 200ms, depends_on: [db]}`,
		143, "cannot start web: it was not ready in 200ms (start_timeout)",
	},
	"a daemon fails": {
		`
	web: {command: "sh -c 'exit 5'", ready: forking, depends_on: [db]}`,
		5, "cannot start web: exited after ",
	},
	"a daemon does not stay": {
		`
	web: {command: "true", ready: forking, depends_on: [db]}`,
		125, "cannot start web: exited after ",
	},
	"a daemon that does not go to the background": {
		`
	web: {command: $ACT serve web, ready: forking, start_timeout: 200ms, depends_on: [db]}`,
		asked, "cannot start web: it was not ready in 200ms (start_timeout)",
	},
	"pre_start": {
		`
	web: {command: $ACT serve web, pre_start: [{command: "true"}, {command: "sh -c 'exit 6'"}], depends_on: [db]}`,
		6, "cannot start web: its pre_start step 2 failed: exited after ",
	},
	"pre_start, in time": {
		`
	web: {command: $ACT serve web, pre_start: [{command: "sleep inf", timeout: 100ms}], depends_on: [db]}`,
		124, "cannot start web: its pre_start step 1 failed: timed-out after ",
	},
	"post_start": {
		`
	web: {command: $ACT serve web, post_start: [{command: "sh -c 'exit 7'"}], depends_on: [db]}`,
		asked, "cannot start web: its post_start step 1 failed: exited after ",
	},
	"unhealthy": {
		`
	web: {command: $ACT serve web, healthcheck: {test: "echo it is sad; exit 1", interval: 10ms, retries: 2}, depends_on: [db]}`,
		asked, "cannot start web: it is unhealthy: its check exited after ",
	},
	"not found": {
		`
	web: {command: /no/such/command, depends_on: [db]}`,
		127, "cannot start web: cannot execute /no/such/command: no such file or directory",
	},
	"not executable": {
		`
	web: {command: /etc/passwd, depends_on: [db]}`,
		126, "cannot start web: cannot execute /etc/passwd: permission denied",
	},
	"no such directory": {
		`
	web: {command: $ACT serve web, working_dir: /no/such/place, depends_on: [db]}`,
		125, "cannot start web: cannot run in /no/such/place: no such file or directory",
	},
	"a one-shot job fails": {
		`
	web: {command: $ACT serve web, depends_on: {migrate: {condition: service_completed_successfully}}}
jobs:
	migrate: {command: "sh -c 'echo no table >&2; exit 8'", logging: {driver: prefix}, depends_on: [db]}`,
		8, "cannot start migrate: exited after ",
	},
	"a one-shot job fails in the end": {
		`
	web: {command: $ACT serve web, depends_on: {migrate: {condition: service_completed_successfully}}}
jobs:
	migrate: {command: "sh -c 'echo try >> $LOG; exit 9'", restart: "on-failure:2", deploy: {restart_policy: {delay: 10ms}}, depends_on: [db]}`,
		9, "cannot start migrate: exited after ",
	},
}

func TestRule6FailsLoudlyAtTheStart(t *testing.T) {
	for name, bad := range badStarts {
		t.Run(name, func(t *testing.T) {
			inLevels(t, func(t *testing.T, l level) {
				b := start(t, l, "services:\n\tdb: {command: $ACT serve db}"+bad.file)
				r := b.Wait()
				if bad.code != asked || r.Code != 143 && r.Code != 125 {
					b.ends(bad.code)
				}
				says(t, r, bad.said)
				if n := strings.Count("\n"+r.Stderr, "\ncginit: cannot start "); n != 1 {
					t.Errorf("%d lines say why the start failed, not 1: %s", n, r.Stderr)
				}
				if db := receipts(r, "db"); len(db) != 1 || db[0].Cause != "stopped" {
					t.Errorf("db was not stopped in order: %+v", db)
				}
				if r.Receipts[len(r.Receipts)-1].Job != "db" {
					t.Errorf("db was not the last to end: %+v", r.Receipts)
				}
			})
		})
	}
}

// TestRule6RefusesBeforeAnythingStarts checks that cginit reports a mistake that it can find before the
// start without starting anything.
func TestRule6RefusesBeforeAnythingStarts(t *testing.T) {
	serve := "services: {web: {command: $ACT serve web}}"
	for name, refusal := range map[string]struct {
		file string
		args []string
		said string
	}{
		"a wrong file":           {"services: {web: {comand: x}}", nil, `cginit.yaml:1:`},
		"no YAML":                {"services: [", nil, `cginit.yaml:`},
		"a circle":               {"services: {a: {command: x, depends_on: [b]}, b: {command: x, depends_on: [a]}}", nil, "a circle: a -> b -> a"},
		"what never comes":       {"services: {a: {command: x, depends_on: {b: {condition: service_healthy}}}, b: {command: x}}", nil, "has no healthcheck"},
		"a socket":               {serve, []string{"--socket", "/no/such/dir/socket"}, "/no/such/dir/socket"},
		"a report":               {serve, []string{"--report", "/no/such/dir/report"}, "cannot open the report"},
		"the file's own socket":  {serve + "\nsocket: /no/such/dir/socket", []string{"--socket", ""}, "/no/such/dir/socket"},
		"no file":                {serve, []string{"--config", "/no/such/file.yaml"}, "/no/such/file.yaml"},
		"a command and a file":   {serve, []string{"--", "true"}, "use one of the two"},
		"a flag for one command": {serve, []string{"--user", "1"}, "--user is for one command"},
	} {
		t.Run(name, func(t *testing.T) {
			inLevels(t, func(t *testing.T, l level) {
				b := start(t, l, refusal.file, refusal.args...)
				r := b.ends(125)
				if !strings.Contains(r.Stderr, refusal.said) {
					t.Errorf("stderr: %s", r.Stderr)
				}
				if len(r.Receipts) > 0 || b.notes()[0] != "" {
					t.Errorf("something was started: %q %+v", b.notes(), r.Receipts)
				}
			})
		})
	}
	t.Run("a containment that is not there", func(t *testing.T) {
		t.Parallel()
		b := start(t, tree, serve, "--require", "cgroup")
		says(t, b.ends(125), "--require cgroup cannot be met, the best here is tree")
	})
	t.Run("limits that cannot be had", func(t *testing.T) {
		t.Parallel()
		b := start(t, tree, "services: {web: {command: $ACT serve web, pids_limit: 5}}")
		says(t, b.ends(125), "web: limits need a writable cgroup v2")
	})
}

// manager listens on a NOTIFY_SOCKET as a service manager that has started cginit. It returns the path
// and a channel of the messages.
func manager(t *testing.T, dir string) (path string, heard chan string) {
	t.Helper()
	path, heard = filepath.Join(dir, "notify"), make(chan string, 8)
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err == nil {
		err = os.Chmod(path, 0o777)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		defer close(heard)
		for b := make([]byte, 100); ; {
			n, err := conn.Read(b)
			if err != nil {
				return
			}
			heard <- string(b[:n])
		}
	}()
	return path, heard
}

func TestRule7SaysWhenItIsUp(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		path, heard := manager(t, pod.OpenDir(t))
		spec := l.spec
		spec.Env = []string{"NOTIFY_SOCKET=" + path}
		b := startAs(t, spec, `
services:
	db: {command: 'sh -c "echo db socket [$$NOTIFY_SOCKET] >> $LOG; exec $ACT serve db"', healthcheck: {test: "test -e $DIR/well", interval: 10ms, start_period: 1h, start_interval: 10ms}}
	web: {command: 'sh -c "$ACT tell READY=1; exec $ACT serve web"', ready: notify, depends_on: {migrate: {condition: service_completed_successfully}}}
	last: {command: $ACT serve last, post_start: [{command: 'sh -c "echo last step >> $LOG; touch $DIR/well"'}], depends_on: [web]}
jobs:
	migrate: {command: 'sh -c "echo migrated >> $LOG"', depends_on: [db]}
`)
		if got := <-heard; got != "READY=1" {
			t.Errorf("heard %q, not READY=1", got)
		}
		for _, line := range []string{"db up", "migrated", "last step"} {
			if b.count(line) != 1 {
				t.Errorf("cginit said that it is up before %q; notes: %q", line, b.notes())
			}
		}
		b.order("db socket []") // jobs must not get the NOTIFY_SOCKET of cginit
		b.Signal(unix.SIGTERM)
		if got := <-heard; got != "STOPPING=1" {
			t.Errorf("heard %q, not STOPPING=1", got)
		}
		b.ends(0)
	})
}

// TestRule7NeverUp checks that cginit does not send READY=1 if the start fails.
func TestRule7NeverUp(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		path, heard := manager(t, pod.OpenDir(t))
		spec := l.spec
		spec.Env = []string{"NOTIFY_SOCKET=" + path}
		startAs(t, spec, "services: {web: {command: 'false', ready: notify}}").ends(1)
		if got := <-heard; got != "STOPPING=1" {
			t.Errorf("heard %q, not STOPPING=1", got)
		}
	})
}

// TestScriptWithoutFirstLine checks that a script without #! is run by the shell, as by execvp(3).
func TestScriptWithoutFirstLine(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		spec := l.spec
		b := prepare(t, &spec, "jobs: {plain: {command: [$DIR/plain, a, b]}}")
		check(t, os.WriteFile(filepath.Join(b.dir, "plain"), []byte("echo $# $2 >> $LOG\n"), 0o755))
		spec.Args = []string{"--socket", "none", "--config", b.file}
		b.Pod = pod.Start(t, spec)
		b.ends(0)
		b.noted("2 b")
	})
}
