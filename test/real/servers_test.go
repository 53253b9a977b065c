package real

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// nginx writes a configuration and returns the command, without the flag for the foreground or the
// background.
func nginx(t *testing.T, dir string) []string {
	t.Helper()
	conf := write(t, dir, "nginx.conf", fmt.Sprintf(`
worker_processes 3;
pid %[1]s/pid;
error_log %[1]s/log notice;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
	server { listen unix:%[1]s/socket; location / { return 200 "served"; } }
}
`, dir))
	// nginx becomes another user, which a user namespace may not map.
	harness.AsRoot(t)
	return []string{"--", harness.Command(t, "nginx"), "-p", dir, "-e", dir + "/log", "-c", conf}
}

func TestNginx(t *testing.T) {
	inModes(t, func(t *testing.T, mode pod.Mode) {
		dir := pod.OpenDir(t)
		p := pod.Start(t, pod.Spec{Mode: mode, Args: append([]string{"--rewrite", "TERM:QUIT"}, append(nginx(t, dir), "-g", "daemon off;")...)})
		if body := get(t, dir+"/socket"); body != "served" {
			t.Errorf("nginx serves %q", body)
		}
		stop(t, p, 0)
		gone(t, dir, "gracefully shutting down")
	})
}

// TestNginxDaemon lets nginx go to the background, so that its master process is a leftover of the main
// process.
func TestNginxDaemon(t *testing.T) {
	inModes(t, func(t *testing.T, mode pod.Mode) {
		dir := pod.OpenDir(t)
		p := pod.Start(t, pod.Spec{Mode: mode, Args: append([]string{"--leftovers", "wait"}, nginx(t, dir)...)})
		if body := get(t, dir+"/socket"); body != "served" {
			t.Errorf("nginx serves %q", body)
		}
		stop(t, p, 0)
		gone(t, dir, "signal 15 (SIGTERM) received")
	})
}

// gone checks that nginx itself reports a clean end.
func gone(t *testing.T, dir, said string) {
	t.Helper()
	log, _ := os.ReadFile(dir + "/log")
	if text := string(log); !strings.Contains(text, said) || !strings.HasSuffix(text, ": exit\n") {
		t.Errorf("the log of nginx does not report a clean end: %s", text)
	}
	for _, file := range []string{"pid", "socket"} {
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			t.Errorf("nginx has left its %s", file)
		}
	}
}

func TestRedisDaemon(t *testing.T) {
	inModes(t, func(t *testing.T, mode pod.Mode) {
		dir := pod.OpenDir(t)
		p := pod.Start(t, pod.Spec{Mode: mode, Args: []string{
			"--leftovers", "wait", "--", harness.Command(t, "redis-server"), "--daemonize", "yes", "--dir", dir, "--save", "3600 1",
			"--port", "0", "--unixsocket", dir + "/socket", "--logfile", dir + "/log", "--pidfile", dir + "/pid",
		}})
		says(t, dir+"/log", "ready to accept connections")
		out, err := exec.Command(harness.Command(t, "redis-cli"), "-s", dir+"/socket", "set", "key", "value").CombinedOutput()
		if err != nil || string(out) != "OK\n" {
			t.Errorf("%v: %s", err, out)
		}
		stop(t, p, 0)
		log, _ := os.ReadFile(dir + "/log")
		for _, sign := range []string{"Received SIGTERM scheduling shutdown", "DB saved on disk", "ready to exit, bye bye"} {
			if !strings.Contains(string(log), sign) {
				t.Errorf("the log lacks %q: %s", sign, log)
			}
		}
		if dump, err := os.ReadFile(dir + "/dump.rdb"); err != nil || !strings.Contains(string(dump), "value") {
			t.Errorf("the data was not saved: %v", err)
		}
	})
}

// TestPostgres stops PostgreSQL with SIGINT, its fast shutdown. On SIGTERM it would wait for its
// clients.
func TestPostgres(t *testing.T) {
	bin, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(bin) == 0 || exec.Command("id", "postgres").Run() != nil {
		harness.Missing(t, "PostgreSQL")
	}
	harness.AsRoot(t) // PostgreSQL runs as another user
	inModes(t, func(t *testing.T, mode pod.Mode) {
		dir := pod.OpenDir(t)
		data, socket := dir+"/data", "--host="+dir
		as := func(args ...string) *exec.Cmd {
			return exec.Command("setpriv", append([]string{"--reuid=postgres", "--regid=postgres", "--init-groups", "--"}, args...)...)
		}
		if out, err := as(bin[0]+"/initdb", "-D", data, "--no-sync").CombinedOutput(); err != nil {
			t.Fatalf("initdb: %v\n%s", err, out)
		}
		p := pod.Start(t, pod.Spec{Mode: mode, Args: []string{
			"--user", "postgres", "--rewrite", "TERM:INT", "--", bin[0] + "/postgres", "-D", data,
			"-k", dir, "-c", "listen_addresses=", "-c", "logging_collector=off",
		}})
		pod.Until(t, "it answers", func() bool { return as(bin[0]+"/psql", socket, "-c", "select 1").Run() == nil })
		client := as(bin[0]+"/psql", socket, "-c", "select pg_sleep(1000)")
		if err := client.Start(); err != nil {
			t.Fatal(err)
		}
		pod.Until(t, "the client is served", func() bool {
			out, _ := as(bin[0]+"/psql", socket, "-Atc", "select count(*) from pg_stat_activity where query like '%pg_sleep%' and wait_event = 'PgSleep'").Output()
			return string(out) == "1\n"
		})
		stop(t, p, 0)
		if client.Wait() == nil {
			t.Error("the client was not disconnected")
		}
		for _, sign := range []string{"received fast shutdown request", "database system is shut down"} {
			if !strings.Contains(p.Stderr(), sign) {
				t.Errorf("the log lacks %q: %s", sign, p.Stderr())
			}
		}
		state, err := as(bin[0]+"/pg_controldata", "-D", data).Output()
		if err != nil || !strings.Contains(string(state), "state:               shut down\n") {
			t.Errorf("the data directory is not clean: %v\n%s", err, state)
		}
	})
}
