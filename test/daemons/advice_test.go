package daemons

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	known "github.com/cginit/cginit/init/config/programs"
	"github.com/cginit/cginit/test/internal/harness"
)

// row returns a row as it stands in the table, for a test that changes it.
func row(t *testing.T, name string) daemon {
	t.Helper()
	if os.Getenv("CGINIT_DAEMONS") == "" {
		t.Skip("SKIPPED: make test-daemons runs it")
	}
	harness.AsRoot(t)
	rows := all()
	d := rows[slices.IndexFunc(rows, func(d daemon) bool { return d.name == name })]
	if !isInstalled(d.program) {
		t.Skipf("SKIPPED for want of %s (Debian: %s)", d.program, d.pkg)
	}
	return d
}

// each runs a test for each row whose program has a field with such a beginning.
func each(t *testing.T, field, beginning string, test func(t *testing.T, d daemon, p *known.Program)) {
	for _, d := range all() {
		if p, _ := known.Find(d.command()); p != nil && p.Field(field) != "" && strings.HasPrefix(p.Field(field), beginning) {
			t.Run(d.name, func(t *testing.T) {
				d := row(t, d.name)
				t.Parallel()
				test(t, d, p)
			})
		}
	}
}

// asLeft is the receipt of a daemon.
type asLeft struct {
	Job, Cause, Signal, Hint string
	Run, Killed              int
	ExitStatus               int `json:"exit_status"`
	Code                     *int
	Phases                   map[string]float64 `json:"phases_ms"`
}

// receipts waits for the end of cginit and returns the receipts of the daemon.
func (w *world) receipts() (all []asLeft) {
	w.t.Helper()
	w.Wait()
	text, _ := os.ReadFile(w.dir + "/receipts")
	for line := range strings.Lines(string(text)) {
		var r asLeft
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			w.t.Error(err)
		}
		if r.Job == "daemon" {
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		w.t.Fatalf("there is no receipt of the daemon: %s; stderr: %s", text, w.Stderr())
	}
	return all
}

// warned checks what the start says about the daemon; nothing if want is empty.
func (w *world) warned(want string) {
	w.t.Helper()
	has := strings.Contains(w.Stderr(), "cginit: daemon: ")
	if has != (want != "") || !strings.Contains(w.Stderr(), want) {
		w.t.Errorf("%q is not what the start says: %s", want, w.Stderr())
	}
}

// TestStopAdvice shows the trouble that a stop without the advice has, and that there is none with it. With kill_mode:
// mixed some would end when the others are asked, half-way through the grace period, at the cost of their clients.
func TestStopAdvice(t *testing.T) {
	apachectl := func(d daemon) daemon {
		d.run = `cp /srv/apache.conf /etc/apache2/apache2.conf; exec apache2ctl -DFOREGROUND`
		return d
	}
	for _, c := range []struct {
		name, program string
		change        func(daemon) daemon
		trouble       string // the keys with which it happens
		advice        string // what is said then
		right         func(daemon) daemon
		keys          string // the keys with which it does not
		client        string // keeps the daemon busy
	}{
		{
			name: "PostgreSQL", trouble: "stop_grace_period: 2s\nkill_mode: process", advice: "postgres waits for its clients after SIGTERM; stop_signal: SIGINT",
			keys: "stop_grace_period: 2s\nstop_signal: SIGINT", client: `exec psql -h /run/postgresql -U postgres -c 'select pg_sleep(1000)'`,
		},
		{
			name: "uWSGI", trouble: "stop_grace_period: 3s\nkill_mode: process", advice: "uwsgi-core reloads after SIGTERM; add --die-on-term, or stop_signal: SIGINT",
			change: func(d daemon) daemon { d.run = strings.Replace(d.run, "--die-on-term", "", 1); return d }, keys: "stop_grace_period: 3s\nstop_signal: SIGINT",
		},
		{
			name: "Squid", trouble: "stop_grace_period: 4s\nkill_mode: process", advice: "squid waits for its clients, also if it has none, after SIGTERM, about 32s, and has 4s",
			change: func(d daemon) daemon {
				d.setup = strings.Replace(d.setup, "shutdown_lifetime 0 seconds\n", "", 1)
				return d
			}, keys: "stop_grace_period: 4s\nstop_signal: SIGINT",
		},
		{
			name: "Celery", trouble: "stop_grace_period: 1s", advice: "celery takes about 4s after SIGTERM, and has 1s",
			keys: "stop_grace_period: 20s",
		},
		{
			name: "Apache httpd", trouble: "stop_grace_period: 2s\nstop_signal: SIGWINCH\nkill_mode: process",
			advice: "apache2ctl is a shell that dies alone; run apache2 -DFOREGROUND", change: apachectl,
			right: func(d daemon) daemon { return d }, keys: "stop_grace_period: 5s\nstop_signal: SIGWINCH\nkill_mode: process",
		},
		{
			name: "MariaDB", trouble: "stop_grace_period: 2s\nkill_mode: process", advice: "mysqld_safe is a shell that ignores SIGTERM; run mariadbd",
			change: func(d daemon) daemon {
				d.run = strings.Replace(d.run, "exec mariadbd", "exec mysqld_safe", 1)
				return d
			},
			right: func(d daemon) daemon { return d }, keys: "stop_grace_period: 5s\nkill_mode: process",
		},
	} {
		run := func(t *testing.T, d daemon, keys, advice string) []asLeft {
			d.keys = keys
			w := d.start(t, false)
			w.until("it serves", d.serves)
			if c.client != "" {
				if said, err := w.ctl("run", "--detach", "--name", "client", "-w", "/", "--", "sh", "-ec", prelude+c.client); err != nil {
					t.Fatalf("%v: %s", err, said)
				}
				w.until("the client is served", `psql -h /run/postgresql -U postgres -Atc "select count(*) from pg_stat_activity where query like '%pg_sleep(1000)'" | grep 1`)
			}
			w.warned(advice)
			if said, err := w.ctl("stop", "daemon"); err != nil {
				t.Errorf("%v: %s", err, said)
			}
			w.Signal(syscall.SIGTERM)
			return w.receipts()
		}
		t.Run(c.name, func(t *testing.T) {
			d := row(t, c.name)
			t.Parallel()
			wrong := d
			if c.change != nil {
				wrong = c.change(d)
			}
			t.Run("without", func(t *testing.T) {
				if r := run(t, wrong, c.trouble, c.advice); r[0].Killed == 0 {
					t.Errorf("it ended gracefully: %+v", r)
				}
			})
			if c.right != nil {
				wrong = c.right(d)
			}
			t.Run("with", func(t *testing.T) {
				if r := run(t, wrong, c.keys, ""); r[0].Killed != 0 || r[0].ExitStatus != 0 {
					t.Errorf("it did not end gracefully: %+v", r)
				}
			})
		})
	}
}

// TestBackground starts each daemon without the argument that keeps it in the foreground: its main process ends by
// itself at once, as the advice says. The other tests have the argument.
func TestBackground(t *testing.T) {
	each(t, "foreground", "", func(t *testing.T, d daemon, p *known.Program) {
		for arg := range strings.FieldsSeq(p.Field("foreground")) {
			d.run = strings.Replace(strings.Replace(d.run, " "+arg+" 0 ", " ", 1), " "+arg+" ", " ", 1)
			d.run = strings.TrimSuffix(d.run, " "+arg)
		}
		d.keys = "restart: 'no'\nleftovers: kill"
		w := d.start(t, false)
		r := w.receipts()
		w.warned("goes to the background; add")
		if r[0].Cause != "exited" || r[0].Code == nil || *r[0].Code != 0 {
			t.Errorf("it stays in the foreground: %+v; %s", r[0], w.Stderr())
		}
	})
}

// TestPostfixStart shows that "postfix start" goes to the background.
func TestPostfixStart(t *testing.T) {
	d := row(t, "Postfix")
	d.run = strings.Replace(d.run, "start-fg", "start", 1)
	d.keys = "restart: 'no'\nleftovers: kill"
	w := d.start(t, false)
	r := w.receipts()
	w.warned("postfix goes to the background; run postfix start-fg")
	if r[0].Cause != "exited" || r[0].Code == nil || *r[0].Code != 0 {
		t.Errorf("it stays in the foreground: %+v; %s", r[0], w.Stderr())
	}
}

// TestSilent starts each daemon that never says that it is ready with ready: notify: the start waits in vain.
func TestSilent(t *testing.T) {
	each(t, "ready", "never", func(t *testing.T, d daemon, _ *known.Program) {
		d.keys += "\nready: notify\nstart_timeout: 5s"
		w := d.start(t, false)
		r := w.receipts()
		w.warned("never tells that it is ready")
		if want := "it was not ready in 5s (start_timeout)"; !strings.Contains(w.Stderr(), want) {
			t.Errorf("%q is not in the log: %+v, %s", want, r[0], w.Stderr())
		}
	})
}

// TestEndsByHUP asks for a reload by SIGHUP of each daemon that ends by it: the start and the call say so, and the
// signal does end it.
func TestEndsByHUP(t *testing.T) {
	each(t, "noreload", "SIGHUP ends", func(t *testing.T, d daemon, _ *known.Program) {
		d.keys += "\nreload_signal: HUP\nrestart: 'no'"
		w := d.start(t, false)
		w.until("it serves", d.serves)
		w.warned("SIGHUP does not reload ")
		if said, err := w.ctl("reload", "daemon"); err == nil || !strings.Contains(said, "SIGHUP does not reload ") {
			t.Errorf("it was reloaded: %v, %s", err, said)
		}
		if said, err := w.ctl("signal", "HUP", "daemon"); err != nil {
			t.Errorf("%v: %s", err, said)
		}
		if said, err := w.ctl("wait", "--for", "ended", "daemon"); err != nil {
			t.Errorf("it goes on: %v: %s", err, said)
		}
		w.Signal(syscall.SIGTERM)
		if r := w.receipts(); r[0].Cause != "exited" {
			t.Errorf("%+v", r)
		}
	})
}

// TestLives sends each daemon the signals after which it goes on, of which the advice warns as stop signals.
func TestLives(t *testing.T) {
	each(t, "lives", "", func(t *testing.T, d daemon, p *known.Program) {
		w := d.start(t, false)
		w.until("it serves", d.serves)
		for signal := range strings.FieldsSeq(p.Field("lives")) {
			if said, err := w.ctl("signal", signal, "daemon"); err != nil {
				t.Fatalf("%s: %v: %s", signal, err, said)
			}
			w.until("it serves after SIG"+signal, d.serves)
		}
		w.Signal(syscall.SIGTERM)
		if r := w.receipts(); len(r) != 1 || r[0].Cause != "stopped" {
			t.Errorf("it ended: %+v", r)
		}
	})
}
