package programs

import (
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestTable reads all rows, which only what needs them reads otherwise.
func TestTable(t *testing.T) {
	isSignal := func(s string) bool { return unix.SignalNum("SIG"+s) != 0 }
	isTime := func(s string) bool { d, err := time.ParseDuration(s); return err == nil && d > 0 }
	isEnding := func(s string) bool { n, err := strconv.Atoi(s); return err == nil && n > 0 && n < 256 || isSignal(s) }
	each := func(is func(string) bool) func(string) bool {
		return func(s string) bool {
			return !slices.ContainsFunc(strings.Fields(s), func(word string) bool { return !is(word) })
		}
	}
	isText := func(s string) bool { return s == strings.TrimSpace(s) }
	fields := map[string]func(string) bool{
		"version": isText, "good": isText, "fix": isText, "term": isText, "wrapper": isText, "instead": isText, "noreload": isText,
		"leaves": isText, "foreground": isText, "ready": isText, "stop": isSignal, "reload": isSignal, "takes": isTime, "for": isTime,
		"lives": each(isSignal), "ends": each(isEnding),
	}
	rows := 0
	for line := range strings.Lines(table) {
		if line[0] == '#' || line == "\n" {
			continue
		}
		rows++
		head, text, found := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if !found || head == "" || !strings.HasPrefix(text, "version ") {
			t.Errorf("%q has no programs, or no version", line)
		}
		p := &Program{text}
		for field := range strings.SplitSeq(text, "; ") {
			name, value, _ := strings.Cut(field, " ")
			if is := fields[name]; is == nil || value == "" || !is(value) {
				t.Errorf("%s: %q is wrong", head, field)
			}
		}
		if (p.Field("stop") != "") != (p.Field("good") != "") || (p.Field("wrapper") != "") != (p.Field("instead") != "") {
			t.Errorf("%s: stop needs good, and wrapper needs instead", head)
		}
		if p.Field("term") != "" && p.Field("stop") == "" && p.Field("fix") == "" {
			t.Errorf("%s: nothing says what to do about SIGTERM", head)
		}
		if slices.Contains(strings.Fields(p.Field("lives")), strings.TrimPrefix(unix.SignalName(p.Signal()), "SIG")) && p.Field("wrapper") == "" {
			t.Errorf("%s: it lives on after the signal that is to stop it", head)
		}
	}
	const least = 70
	if rows < least {
		t.Errorf("the table has %d rows only", rows)
	}
}

func TestFind(t *testing.T) {
	for command, want := range map[string]string{
		"nginx -g daemon_off;":                                            "nginx",
		"/usr/sbin/nginx":                                                 "nginx",
		"docker-entrypoint.sh postgres -c fsync=off":                      "postgres",
		"/usr/local/bin/docker-php-entrypoint php-fpm":                    "php-fpm",
		"php-fpm8.2 -F":                                                   "php-fpm8.2",
		"gosu postgres postgres":                                          "postgres",
		"su-exec 1000:1000 redis-server /etc/redis.conf":                  "redis-server",
		"env -u A B=c --chdir /srv nice -n 5 java -jar app.jar":           "java",
		"setpriv --reuid mysql --regid=mysql --clear-groups -- mariadbd":  "mariadbd",
		"tini -g -e 143 -- node app.js":                                   "node",
		"sh -c exec_gunicorn_app:app":                                     "gunicorn",
		"bash -lc migrate_&&_exec_puma_-C_config.rb_2>/tmp/log":           "puma",
		"sh -ec exec_nginx_-g_\"daemon_off;\"":                            "nginx",
		"python3 -u -m uvicorn app:app":                                   "uvicorn",
		"/usr/bin/python3 /usr/bin/supervisord -n":                        "supervisord",
		"bundle exec sidekiq":                                             "sidekiq",
		"dumb-init -r 15:3 -- env LANG=C chpst -u www:www -n 5 unicorn x": "unicorn",
		"celery -A app worker":                                            "celery",

		"":                            "",
		"app":                         "",
		"sh -c nginx;_echo_done":      "",
		"sh":                          "",
		"sh -c":                       "",
		"gosu postgres":               "",
		"env A=b":                     "",
		"python3 app.py":              "",
		"python3 -m":                  "",
		"celery -A app beat":          "",
		"nginx-exporter":              "",
		"entrypoint.sh":               "",
		"sh -c exec_sh_-c_exec_sh_-c": "",
		"bundle exec":                 "",
		"setpriv --reuid":             "",
		"postfix status":              "",
		"sh -c nexec_nginx":           "",
		"env -u":                      "",
		"sh -c exec_":                 "",
		"sh -c exec_nginx;":           "nginx",
		"sh -c nginx_-t_&&_exec_nginx_#_exec_foo":           "nginx",
		"sh -c if_a;_then_exec_nginx;_else_exec_caddy_&_fi": "caddy",
		"sh -c echo_please_exec_mysqld_safe":                "",
		"httpd -f -p 80":                                    "",
		"httpd -DFOREGROUND":                                "httpd",
		"tini --":                                           "",
		"docker-entrypoint.sh some thing":                   "",
	} {
		args := strings.Fields(command)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "_", " ")
		}
		if _, got := Find(args); got != want {
			t.Errorf("%s: %q is not %q", command, got, want)
		}
	}
}

func TestAdvice(t *testing.T) {
	for _, c := range []struct {
		command string
		stop    syscall.Signal
		grace   time.Duration
		notify  bool
		want    string
	}{
		{"postgres", syscall.SIGTERM, time.Minute, true, "postgres waits for its clients after SIGTERM; stop_signal: SIGINT is its fast shutdown"},
		{"postgres", syscall.SIGINT, time.Minute, true, ""},
		{"postgres", syscall.SIGHUP, time.Minute, false, "postgres does not end after SIGHUP; stop_signal: auto knows what does"},
		{
			"apache2ctl -D FOREGROUND", syscall.SIGTERM, time.Minute, false,
			"apache2ctl is a shell that dies alone; run apache2 -DFOREGROUND in its place, with the variables of /etc/apache2/envvars",
		},
		{"uwsgi --master", syscall.SIGTERM, time.Minute, false, "uwsgi reloads after SIGTERM; add --die-on-term, or stop_signal: SIGINT"},
		{"uwsgi --master --die-on-term", syscall.SIGTERM, time.Minute, false, ""},
		{"squid -NYC", syscall.SIGTERM, 9 * time.Second, false, "squid waits for its clients, also if it has none, after SIGTERM, about 32s, and has 9s " +
			"(stop_grace_period); stop_signal: SIGINT does not wait, or give it stop_grace_period: 40s"},
		{"squid -NYC", syscall.SIGTERM, 40 * time.Second, false, ""},
		{"squid -NYC", syscall.SIGINT, 9 * time.Second, false, ""},
		{"transmission-daemon -f", syscall.SIGTERM, 5 * time.Second, false, "transmission-daemon takes about 8s after SIGTERM, and has 5s (stop_grace_period)"},
		{"sshd", syscall.SIGTERM, time.Minute, false, "sshd goes to the background; add -D"},
		{"sshd -De", syscall.SIGTERM, time.Minute, false, ""},
		{"nginx", syscall.SIGQUIT, time.Minute, true, "nginx never tells that it is ready, so the start waits in vain; use ready: with a port or a file, or a health check"},
		{"app", syscall.SIGTERM, 0, true, ""},
		{"mysqld", syscall.Signal(35), time.Minute, false, ""},
		{"php-fpm", syscall.SIGQUIT, time.Minute, true, ""},
	} {
		got := strings.Join(Advice(Use{strings.Fields(c.command), c.stop, c.grace, c.notify}), "\n")
		if got != c.want {
			t.Errorf("%s, %v: %q", c.command, c.stop, got)
		}
	}
}

// TestContinued finds arguments on the next line of a script, which a backslash continues.
func TestContinued(t *testing.T) {
	p, _ := Find([]string{"sh", "-ec", "cd /srv\nexec uwsgi --master \\\n  --die-on-term"})
	if p.Signal() != syscall.SIGTERM {
		t.Errorf("%v", p.Signal())
	}
	if _, name := Find([]string{"sh", "-c", "exec nginx\n# exec postgres"}); name != "nginx" {
		t.Error(name)
	}
}

func TestReload(t *testing.T) {
	for _, c := range []struct {
		command     string
		asked, want syscall.Signal
		why         string
	}{
		{"nginx", Auto, syscall.SIGHUP, ""},
		{"php-fpm", Auto, syscall.SIGUSR2, ""},
		{"php-fpm", syscall.SIGHUP, syscall.SIGHUP, ""},
		{"chronyd -d", Auto, 0, "no signal reloads chronyd: SIGHUP ends it"},
		{"chronyd -d", syscall.SIGHUP, 0, "SIGHUP does not reload chronyd: SIGHUP ends it"},
		{"memcached", Auto, 0, "no signal reloads memcached: none is known"},
		{"app", Auto, 0, "reload_signal is auto, and nothing is known of this program"},
		{"app", syscall.SIGUSR1, syscall.SIGUSR1, ""},
		{"nginx", 0, 0, ""},
	} {
		p, name := Find(strings.Fields(c.command))
		if sig, why := p.Reload(name, c.asked); sig != c.want || why != c.why {
			t.Errorf("%s, %v: %v, %q", c.command, c.asked, sig, why)
		}
	}
}

func FuzzFind(f *testing.F) {
	f.Add("sh -c exec env A=b gosu x y")
	f.Fuzz(func(t *testing.T, command string) {
		args := strings.Split(command, " ")
		p, name := Find(args)
		Advice(Use{Args: args, Stop: p.Signal()})
		if (p == nil) != (name == "") {
			t.Error(name)
		}
		if args = inner(args); len(within(args)) > 0 && len(command) < 40 {
			t.Errorf("%q is not the innermost", args)
		}
	})
}
