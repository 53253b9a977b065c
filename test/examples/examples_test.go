package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

func pid(p *pod.Pod) string { return strconv.Itoa(p.Pid) }

// example is what a folder of examples needs, and what shows that it works.
type example struct {
	needs   func(t *testing.T) (env []string) // nil if it needs nothing
	shows   func(b *box)
	compose bool // the file has only keys of Compose
}

var all = map[string]example{
	"web-worker": {needs: python, shows: webWorker},
	"nginx-php":  {needs: nginxPHP, shows: nginxAndPHP, compose: true},
	"scheduled":  {shows: scheduled},
	"notify":     {needs: python, shows: notify},
	"postgres":   {needs: postgres, shows: database},
}

func TestExamples(t *testing.T) {
	for name, e := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var env []string
			if e.needs != nil {
				env = e.needs(t)
			}
			checked := start(t, name, env, "--check")
			if r := checked.Wait(); r.Code != 0 || r.Stderr != "" {
				t.Fatalf("--check: %d: %s", r.Code, r.Stderr)
			}
			b := start(t, name, env)
			e.shows(b)
			b.stop()
		})
	}
}

// TestEveryExampleIsRun checks that every example is run by a test, and has a README.
func TestEveryExampleIsRun(t *testing.T) {
	files, err := filepath.Glob(folder("*/cginit.yaml"))
	if err != nil || len(files) != len(all) {
		t.Errorf("%d examples have a file, and %d are run: %v", len(files), len(all), err)
	}
	for name := range all {
		if text, err := os.ReadFile(filepath.Join(folder(name), "README.md")); err != nil || !strings.HasPrefix(string(text), "# ") {
			t.Errorf("%s: no README: %v", name, err)
		}
	}
}

func python(t *testing.T) []string {
	harness.Command(t, "python3")
	return []string{"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin"}
}

// webWorker checks that the worker does the tasks that the web server gets, in the migrated database,
// and that it is restarted.
func webWorker(b *box) {
	for range 3 {
		b.serves("POST", "http://127.0.0.1:8080/", "added")
	}
	b.Line("worker | did task 3")
	b.serves("GET", "http://127.0.0.1:8080/", " done")
	c := b.control()
	pod.Until(b.t, "all is up", func() bool { // before that, a service that ends would fail the start
		reply, err := c.Health(b.t.Context())
		return err == nil && reply.Healthy
	})
	b.kill("worker") // cginit must start it again
	b.serves("POST", "http://127.0.0.1:8080/", "added")
	b.Line("worker | did task 4")
	b.serves("GET", "http://127.0.0.1:8080/", "4 done")
}

// control connects to cginit.
func (b *box) control() *control.Client {
	b.t.Helper()
	c, err := control.Dial(b.t.Context(), "/proc/"+pid(b.Pod)+"/root/run/cginit.sock", pod.Patience)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.Close() })
	return c
}

// kill kills the Python program that has this argument.
func (b *box) kill(argument string) {
	b.t.Helper()
	for _, m := range b.Tree("python3") {
		text, _ := os.ReadFile("/proc/" + strconv.Itoa(m.Pid) + "/cmdline")
		if strings.HasSuffix(string(text), "\x00"+argument+"\x00") {
			if err := syscall.Kill(m.Pid, syscall.SIGKILL); err != nil {
				b.t.Fatal(err)
			}
			return
		}
	}
	b.t.Fatalf("no Python program with the argument %s runs", argument)
}

func nginxPHP(t *testing.T) []string {
	harness.Command(t, "nginx")
	found, _ := filepath.Glob("/usr/sbin/php-fpm*")
	if len(found) == 0 {
		harness.Missing(t, "php-fpm")
	}
	return []string{"PHP_FPM=" + found[0]}
}

// nginxAndPHP checks that a request passes through both programs, and that both end gracefully.
func nginxAndPHP(b *box) {
	b.serves("GET", "http://127.0.0.1:8080/some/page?a=b", "at /some/page?a=b\n")
	b.t.Cleanup(func() {
		for _, sign := range []string{"gracefully shutting down", "exiting, bye-bye!"} {
			if !strings.Contains(b.Stderr(), sign) {
				b.t.Errorf("their output lacks %q: %s", sign, b.Stderr())
			}
		}
	})
}

// scheduled checks that one job runs by its schedule, and that the other one, whose time is far away,
// can be started by hand.
func scheduled(b *box) {
	b.Line("cleanup | removing old files")
	c := b.control()
	reply, err := c.Status(b.t.Context(), control.StatusParams{Job: "backup"})
	if err != nil {
		b.t.Fatal(err)
	}
	if next := reply.Job.Next; next == nil || next.UTC().Format("15:04") != "03:15" {
		b.t.Errorf("the next backup is at %v", next)
	}
	if _, err := c.Start(b.t.Context(), control.StartParams{Jobs: []string{"backup"}}); err != nil {
		b.t.Fatal(err)
	}
	b.Line("backup | backup of the day")
}

// notify checks that the client starts only when the server can answer: it would fail otherwise.
func notify(b *box) { b.Line("the server says hello") }

func postgres(t *testing.T) []string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(found) == 0 || exec.Command("id", "postgres").Run() != nil {
		harness.Missing(t, "PostgreSQL")
	}
	return []string{"PATH=" + found[0] + ":/usr/bin:/bin:/usr/sbin:/sbin"}
}

// database checks that the job gets an answer from the database, and that PostgreSQL does its fast
// shutdown.
func database(b *box) {
	b.Line("app-database | 2")
	b.t.Cleanup(func() {
		for _, sign := range []string{"received fast shutdown request", "database system is shut down"} {
			if !strings.Contains(b.Stderr(), sign) {
				b.t.Errorf("the log of PostgreSQL lacks %q: %s", sign, b.Stderr())
			}
		}
	})
}
