package contract

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

// pair is two services, one of which depends on the other.
const pair = `
services:
	web: {command: $ACT serve web, depends_on: [db]}
	db: {command: $ACT serve db}
`

// gate makes a FIFO that a job waits at with read x < $DIR/NAME. Each call of open lets one read
// return.
func (b *box) gate(name string) (open func()) {
	b.t.Helper()
	path := filepath.Join(b.dir, name)
	if err := unix.Mkfifo(path, 0o666); err != nil {
		b.t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err == nil {
		err = os.Chmod(path, 0o666) // whatever the umask is
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { f.Close() })
	return func() { _, _ = f.WriteString("go\n") }
}

// gated is start with one gate, $DIR/gate.
func gated(t *testing.T, l level, file string, args ...string) (b *box, open func()) {
	t.Helper()
	b, open, _ = gatedTwice(t, l, file, args...)
	return b, open
}

// gatedTwice is start with two gates, $DIR/gate and $DIR/gate2.
func gatedTwice(t *testing.T, l level, file string, args ...string) (b *box, open, open2 func()) {
	t.Helper()
	spec := l.spec
	b = prepare(t, &spec, file)
	open, open2 = b.gate("gate"), b.gate("gate2")
	spec.Args = append([]string{"--socket", "none", "--config", b.file}, args...)
	b.Pod = pod.Start(t, spec)
	return b, open, open2
}

func TestRule1EndsForFourReasonsOnly(t *testing.T) {
	t.Run("asked by a signal", func(t *testing.T) {
		for _, sig := range []syscall.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGQUIT, unix.SIGPWR, 37} {
			t.Run(sig.String(), func(t *testing.T) {
				inLevels(t, func(t *testing.T, l level) {
					b := start(t, l, pair)
					b.noted("db up", "web up")
					b.Signal(sig)
					b.ends(0)
					b.order("web SIGTERM", "db SIGTERM")
				})
			})
		}
	})
	t.Run("an essential job has ended", func(t *testing.T) {
		inLevels(t, func(t *testing.T, l level) {
			b, open := gated(t, l, pair+`
	main: {command: 'sh -c "read x < $DIR/gate; exit 3"', essential: true}
`)
			b.noted("db up", "web up")
			open()
			r := b.ends(3)
			b.order("web SIGTERM", "db SIGTERM")
			says(t, r, "main has ended, and it is essential")
		})
	})
	t.Run("the work is done", func(t *testing.T) {
		inLevels(t, func(t *testing.T, l level) {
			b := start(t, l, `
jobs:
	migrate: {command: sh -c "echo migrated >> $LOG"}
	seed: {command: sh -c "echo seeded >> $LOG", depends_on: {migrate: {condition: service_completed_successfully}}}
`)
			b.ends(0)
			b.order("migrated", "seeded")
		})
	})
	t.Run("nothing else ends it", func(t *testing.T) { inLevels(t, nothingElse) })
}

// nothingElse sends all other signals and kills a service. cginit must go on.
func nothingElse(t *testing.T, l level) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read.Close() // cginit's output has no reader
	spec := l.spec
	spec.Stdout = write
	b := startAs(t, spec, pair+"\ttalker: {command: 'sh -c \"echo talks; exec $ACT serve talker\"', logging: {driver: prefix}}\n")
	write.Close()
	b.noted("db up", "web up", "talker up")
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		switch sig {
		case unix.SIGTERM, unix.SIGINT, unix.SIGQUIT, unix.SIGPWR, 37, unix.SIGKILL, unix.SIGSTOP, 32, 33, 34:
		case unix.SIGILL, unix.SIGTRAP, unix.SIGABRT, unix.SIGBUS, unix.SIGFPE, unix.SIGSEGV, unix.SIGSYS:
			// These signals report a fault of the program itself.
		case unix.SIGTTIN, unix.SIGTTOU, unix.SIGTSTP: // these stop a process that is not process 1
		default:
			b.Signal(sig)
		}
	}
	b.said("reloaded: 0 new, 0 changed, 0 gone")
	b.crash("web")
	b.notedTimes(2, "web up")
	b.Signal(unix.SIGTERM)
	r := b.ends(0)
	if n := len(receipts(r, "db")); n != 1 {
		t.Errorf("db had %d runs; stderr: %s", n, r.Stderr)
	}
}

// crash kills the processes of act that serve under a name.
func (b *box) crash(name string) {
	b.t.Helper()
	for _, pid := range b.pids(name) {
		if err := unix.Kill(pid, unix.SIGKILL); err != nil {
			b.t.Fatal(err)
		}
	}
}

// pids returns the processes of act that serve under a name.
func (b *box) pids(name string) (pids []int) {
	for _, m := range b.Tree("act") {
		command, _ := os.ReadFile("/proc/" + itoa(m.Pid) + "/cmdline")
		if strings.Contains(string(command), "serve\x00"+name+"\x00") {
			pids = append(pids, m.Pid)
		}
	}
	return pids
}

func TestRule3StopsInReverseOrderOfDependency(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		// db and cache each end only after the other was asked. If they were stopped one after the
		// other, one would have to be killed.
		const waits = `command: ["sh", "-c", "trap 'echo %s asked >> $LOG; until grep -q \"%s asked\" $LOG; do sleep 0.02; done; exit 0' TERM; echo %s up >> $LOG; while :; do sleep 0.05; done"]`
		mutual := func(own, other string) string {
			text := strings.Replace(waits, "%s", own, 1)
			text = strings.Replace(text, "%s", other, 1)
			return strings.Replace(text, "%s", own, 1)
		}
		b := start(t, l, `
services:
	db:
		`+mutual("db", "cache")+`
	cache:
		`+mutual("cache", "db")+`
	web: {command: $ACT serve web, depends_on: [db, cache]}
	proxy: {command: $ACT serve proxy, depends_on: [web]}
	aside: {command: $ACT serve aside}
`)
		b.noted("db up", "cache up", "web up", "proxy up", "aside up")
		b.Signal(unix.SIGTERM)
		r := b.ends(0)
		b.order("proxy SIGTERM", "web SIGTERM", "db asked")
		b.order("proxy SIGTERM", "web SIGTERM", "cache asked")
		b.order("aside SIGTERM")
		for _, receipt := range r.Receipts {
			if receipt.Killed > 0 || receipt.Cause != "stopped" {
				t.Errorf("%s: %s, %d killed", receipt.Job, receipt.Cause, receipt.Killed)
			}
		}
	})
}

func TestRule4KillsWhatDoesNotStop(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b := start(t, l, `
services:
	web: {command: 'sh -c "$ACT daemon child; exec $ACT serve web deaf"', stop_grace_period: 100ms}
	db: {command: $ACT serve db}
`)
		b.noted("web up", "child up", "db up")
		b.Signal(unix.SIGTERM)
		r := b.ends(0)
		b.noted("web SIGTERM", "db SIGTERM")
		web := receipts(r, "web")
		if len(web) != 1 || web[0].Killed != 2 || web[0].Signal != "SIGKILL" || web[0].Phases["kill"]+web[0].Phases["freeze"] == 0 {
			t.Errorf("receipts %+v", web)
		}
	})
}

func TestRule5AsksInTheWayItUnderstands(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b := start(t, l, `
services:
	php: {command: $ACT serve php, stop_signal: SIGQUIT}
	web:
		command: $ACT serve web
		pre_stop:
			- command: sh -c "echo drain >> $LOG"
			- command: sh -c "echo drained >> $LOG"
	slow:
		command: $ACT serve slow
		pre_stop: [{command: sleep inf, timeout: 100ms}]
`)
		b.noted("php up", "web up", "slow up")
		b.Signal(unix.SIGTERM)
		r := b.ends(0)
		b.order("php SIGQUIT")
		b.order("drain", "drained", "web SIGTERM")
		b.order("slow SIGTERM")
		says(t, r, "slow: its pre_stop step 1 failed: timed-out")
	})
}
