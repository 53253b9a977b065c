package contract

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

// output runs a file to its end, and returns everything that came on standard output.
func output(t *testing.T, l level, file string) (out string, r *pod.Result) {
	t.Helper()
	read, write, err := os.Pipe()
	check(t, err)
	defer read.Close()
	spec := l.spec
	spec.Stdout = write
	b := startAs(t, spec, file)
	write.Close()
	var text strings.Builder
	_, err = bufio.NewReader(read).WriteTo(&text)
	check(t, err)
	return text.String(), b.ends(0)
}

// TestOutput checks that a job's output arrives complete with each logging driver.
func TestOutput(t *testing.T) {
	t.Run("inherit", func(t *testing.T) {
		inLevels(t, func(t *testing.T, l level) {
			if out, _ := output(t, l, `jobs: {a: {command: 'printf "a\\nb"'}}`); out != "a\nb" {
				t.Errorf("%q", out)
			}
		})
	})
	t.Run("none", func(t *testing.T) {
		inLevels(t, func(t *testing.T, l level) {
			if out, _ := output(t, l, `jobs: {a: {command: echo a, logging: {driver: none}}}`); out != "" {
				t.Errorf("%q", out)
			}
		})
	})
	t.Run("prefix", func(t *testing.T) {
		inLevels(t, func(t *testing.T, l level) {
			out, r := output(t, l, `jobs: {a: {command: 'sh -c "echo x; echo y >&2; printf end"', logging: {driver: prefix}}}`)
			if out != "a | x\na | end\n" || !strings.Contains(r.Stderr, "a | y\n") {
				t.Errorf("stdout %q, stderr %q", out, r.Stderr)
			}
		})
	})
	t.Run("json, a line of 1 MB", func(t *testing.T) {
		inLevels(t, func(t *testing.T, l level) {
			out, _ := output(t, l, `jobs: {a: {command: $ACT write 1048576, logging: {driver: json}}}`)
			var text strings.Builder
			goesOn := true
			for lines := json.NewDecoder(strings.NewReader(out)); lines.More(); {
				var line struct {
					Job, Msg string
					Part     bool
				}
				if err := lines.Decode(&line); err != nil || line.Job != "a" || !goesOn {
					t.Fatalf("%.80v %v", line, err)
				}
				text.WriteString(line.Msg)
				goesOn = line.Part
			}
			if text.String() != strings.Repeat("x", 1<<20) || goesOn {
				t.Errorf("%d bytes arrived, or the last part is missing", text.Len())
			}
		})
	})
	t.Run("many at once", func(t *testing.T) {
		inLevels(t, func(t *testing.T, l level) {
			var file strings.Builder
			file.WriteString("jobs:\n")
			for _, name := range []string{"a", "b", "c"} {
				file.WriteString("\t" + name + ": {command: seq 1 5000, logging: {driver: prefix}}\n")
			}
			out, _ := output(t, l, file.String())
			next := map[string]int{"a": 1, "b": 1, "c": 1}
			for line := range strings.Lines(out) {
				name, number, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " | ")
				if number != itoa(next[name]) {
					t.Fatalf("%q comes after %d", line, next[name]-1)
				}
				next[name]++
			}
			for name, n := range next {
				if n != 5001 {
					t.Errorf("%d lines of %s", n-1, name)
				}
			}
		})
	})
}

// TestLastLinesComeBeforeTheReceipt checks the order on stderr.
func TestLastLinesComeBeforeTheReceipt(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b := start(t, l, `
services:
	web: {command: ["sh", "-c", "trap 'seq 1 3000 >&2; echo goodbye >&2; exit 0' TERM; echo web up >> $LOG; while :; do sleep 0.02; done"], logging: {driver: prefix}}
`)
		b.noted("web up")
		b.Signal(unix.SIGTERM)
		r := b.ends(0)
		last, receipt := strings.Index(r.Stderr, "web | goodbye"), strings.Index(r.Stderr, "cginit: web: stopped")
		if last < 0 || receipt < last {
			t.Errorf("the receipt is before the last line of web; stderr: %.300s", r.Stderr[max(0, len(r.Stderr)-300):])
		}
	})
}

// TestStalledOutput checks that a reader who does not read stalls only the jobs that write, and not
// cginit.
func TestStalledOutput(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		read, write, err := os.Pipe()
		check(t, err)
		defer read.Close()
		spec := l.spec
		spec.Stdout = write
		b := startAs(t, spec, `
services:
	talker: {command: 'sh -c "echo talker up >> $LOG; exec yes"', logging: {driver: prefix}}
	json: {command: 'sh -c "echo json up >> $LOG; exec yes"', logging: {driver: json}}
	db: {command: $ACT serve db}
`, "-v")
		write.Close()
		b.noted("talker up", "json up", "db up")
		b.said("cginit: up") // before that the end of db would fail the start
		pod.Until(t, "the pipe is full", func() bool {
			n, err := unix.IoctlGetInt(int(read.Fd()), unix.TIOCINQ)
			return err == nil && n > 60_000
		})
		b.crash("db") // cginit must start it again
		b.notedTimes(2, "db up")
		b.Signal(unix.SIGTERM)
		b.ends(0)
	})
}

// TestReload checks that a wrong file changes nothing, and that a right one touches only jobs that
// differ.
func TestReload(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b := start(t, l, `
services:
	same: {command: $ACT serve same}
	changed: {command: $ACT serve before}
	gone: {command: $ACT serve gone}
	user: {command: $ACT serve user, depends_on: {changed: {condition: service_started, restart: true}}}
`, "-v")
		b.said("cginit: up\n")
		b.noted("same up", "before up", "gone up", "user up")
		pid := b.pids("same")
		b.write("services: {same: {comand: x}}")
		b.Signal(syscall.SIGHUP)
		b.said("not reloaded, everything goes on as it was")
		b.write(`
services:
	same: {command: $ACT serve same}
	changed: {command: $ACT serve after}
	new: {command: $ACT serve new, depends_on: [changed]}
	user: {command: $ACT serve user, depends_on: {changed: {condition: service_started, restart: true}}}
jobs:
	once: {command: sh -c 'echo once >> $LOG'}
`)
		b.Signal(syscall.SIGHUP)
		b.said("reloaded: 2 new, 1 changed, 1 gone")
		b.noted("gone SIGTERM", "before SIGTERM", "after up", "new up", "once")
		b.notedTimes(2, "user up")
		b.order("before SIGTERM", "after up")
		b.order("before SIGTERM", "new up")
		if now := b.pids("same"); len(now) != 1 || now[0] != pid[0] {
			t.Errorf("the unchanged service was restarted: pids %v became %v", pid, now)
		}
		b.Signal(unix.SIGTERM)
		b.ends(0)
		if b.count("once") != 1 || b.count("gone up") != 1 {
			t.Errorf("notes %q", b.notes())
		}
	})
}

// TestReloadBringsBack checks that a job is started again if one reload removes it and another brings
// it back before it has ended.
func TestReloadBringsBack(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		const both = `
services:
	db: {command: $ACT serve db}
	web: {command: ["sh", "-c", "trap 'echo web asked >> $LOG; read x < $DIR/gate; exit 0' TERM; echo web up >> $LOG; while :; do sleep 0.02; done"], stop_grace_period: 1h}
`
		b, open := gated(t, l, both, "-v")
		b.noted("web up")
		b.write("services: {db: {command: $ACT serve db}}")
		b.Signal(syscall.SIGHUP)
		b.noted("web asked")
		b.write(both)
		b.Signal(syscall.SIGHUP)
		b.said("reloaded: 1 new, 0 changed, 0 gone")
		open()
		b.notedTimes(2, "web up")
		open()
		b.Signal(unix.SIGTERM)
		b.ends(0)
		if b.count("db up") != 1 {
			t.Errorf("notes %q", b.notes())
		}
	})
}
