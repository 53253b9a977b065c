package contract

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestReady checks, for each way to be ready, that next starts only after web is ready.
func TestReady(t *testing.T) {
	for name, web := range map[string]string{
		"notify, from a child":  `command: 'sh -c "read x < $DIR/gate; echo ready >> $LOG; $ACT tell STATUS=works READY=1; exec $ACT serve web"', ready: notify`,
		"notify, in two lines":  `command: ["sh", "-c", "read x < $DIR/gate; echo ready >> $LOG; $ACT tell X=1 'STATUS=works\nREADY=1'; exec $ACT serve web"], ready: notify`,
		"notify, with a daemon": `command: 'sh -c "read x < $DIR/gate; echo ready >> $LOG; (setsid $ACT tell READY=1 &); exec $ACT serve web"', ready: notify`,
		"fd":                    `command: 'sh -c "read x < $DIR/gate; echo ready >> $LOG; $ACT line 3; exec $ACT serve web"', ready: "fd: 3"`,
		"fd, a large one":       `command: 'sh -c "read x < $DIR/gate; echo ready >> $LOG; $ACT line 77; exec $ACT serve web"', ready: {fd: 77}`,
		"forking":               `command: 'sh -c "read x < $DIR/gate; echo ready >> $LOG; $ACT daemon web"', ready: forking`,
		"healthy":               `command: 'sh -c "read x < $DIR/gate; echo ready >> $LOG; touch $DIR/well; exec $ACT serve web"', healthcheck: {test: [CMD, test, -e, $DIR/well], interval: 10ms, retries: 10000}`,
	} {
		t.Run(name, func(t *testing.T) {
			inLevels(t, func(t *testing.T, l level) {
				condition := "service_started"
				if name == "healthy" {
					condition = "service_healthy"
				}
				b, open := gated(t, l, "services:\n\tweb: {"+web+`}
	next: {command: $ACT serve next, depends_on: {web: {condition: `+condition+`}}}
	first: {command: $ACT serve first}
`)
				b.noted("first up")
				open()
				b.noted("web up", "next up")
				b.order("ready", "next up")
				b.Signal(unix.SIGTERM)
				r := b.ends(0)
				b.order("next SIGTERM", "web SIGTERM")
				if web := receipts(r, "web"); len(web) != 1 || web[0].Killed != 0 {
					t.Errorf("%+v; stderr: %s", web, r.Stderr)
				}
			})
		})
	}
}

// TestDaemonThatDies checks that a forking service ends when its daemon ends.
func TestDaemonThatDies(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b := start(t, l, "services: {web: {command: $ACT daemon web, ready: forking}, db: {command: $ACT serve db}}", "-v")
		b.said("cginit: up\n")
		b.noted("web up", "db up")
		b.crash("web")
		b.notedTimes(2, "web up")
		b.Signal(unix.SIGTERM)
		b.ends(0)
	})
}

// TestStrangerSpeaks checks that a process of another job cannot send notifications for a job.
func TestStrangerSpeaks(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b, open := gated(t, l, `
services:
	web: {command: 'sh -c "echo $$NOTIFY_SOCKET > $DIR/name; mv $DIR/name $DIR/socket; read x < $DIR/gate; $ACT tell READY=1; exec $ACT serve web"', ready: notify}
	other: {command: ["sh", "-c", "until [ -e $DIR/socket ]; do sleep 0.02; done; exec env NOTIFY_SOCKET=$$(cat $DIR/socket) perl -MSocket -e 'socket(S, AF_UNIX, SOCK_DGRAM, 0); my $$n = $$ENV{NOTIFY_SOCKET}; $$n =~ s/^@/\\0/; send(S, q(READY=1), 0, pack(q(S a*), AF_UNIX, $$n)) or die; sleep 1000'"]}
	next: {command: $ACT serve next, depends_on: [web]}
`)
		b.said("refused a notification in the name of web: ")
		if b.count("next up") > 0 {
			t.Errorf("cginit believed a process of another job; notes %q", b.notes())
		}
		open()
		b.noted("next up")
		b.Signal(unix.SIGTERM)
		b.ends(0)
	})
}

// TestTimeIsExtended checks that EXTEND_TIMEOUT_USEC extends start_timeout and the grace period.
func TestTimeIsExtended(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b := start(t, l, `
services:
	web:
		command: ["sh", "-c", "$ACT tell EXTEND_TIMEOUT_USEC=60000000; sleep 1.2; $ACT tell READY=1; trap '$ACT tell STOPPING=1 EXTEND_TIMEOUT_USEC=60000000; sleep 1; echo ended well >> $LOG; exit 0' TERM; echo up >> $LOG; while :; do sleep 0.02; done"]
		ready: notify
		start_timeout: 1s
		stop_grace_period: 500ms
`)
		b.noted("up")
		b.Signal(unix.SIGTERM)
		b.ends(0)
		b.order("up", "ended well")
	})
}

// TestWatchdog checks that a service is restarted if it is silent or sends WATCHDOG=trigger, and not if
// it sends WATCHDOG=1.
func TestWatchdog(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b, open := gated(t, l, `
services:
	silent: {command: 'sh -c "$ACT tell READY=1; exec $ACT serve silent"', ready: notify, watchdog: 1s}
	loud: {command: 'sh -c "$ACT tell READY=1; echo loud up; while :; do $ACT tell WATCHDOG=1; sleep 0.1; done"', ready: notify, watchdog: 10s}
	barks: {command: 'sh -c "$ACT tell READY=1; echo barks >> $LOG; read x < $DIR/gate; $ACT tell WATCHDOG=trigger; exec sleep inf"', ready: notify, watchdog: 1h}
`, "-v")
		b.said("cginit: up\n")
		open()
		b.notedTimes(2, "silent up")
		b.notedTimes(2, "barks")
		b.Signal(unix.SIGTERM)
		r := b.ends(0)
		if silent := receipts(r, "silent"); silent[0].Cause != "failing" || len(receipts(r, "loud")) != 1 {
			t.Errorf("%+v", r.Receipts)
		}
	})
}

// TestHealthRestarts checks that an unhealthy service is only reported, or restarted, as on_unhealthy
// says.
func TestHealthRestarts(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b := start(t, l, `
services:
	web: {command: $ACT serve web, healthcheck: {test: "test ! -e $DIR/sick", interval: 20ms, retries: 2}, on_unhealthy: restart}
	shown: {command: $ACT serve shown, healthcheck: {test: "test ! -e $DIR/sick", interval: 20ms, retries: 2}}
`, "-v")
		b.said("cginit: up\n")
		if err := os.WriteFile(b.dir+"/sick", nil, 0o644); err != nil {
			t.Fatal(err)
		}
		b.said("shown: it is unhealthy")
		b.notedTimes(2, "web up")
		b.Signal(unix.SIGTERM)
		r := b.ends(0)
		if web := receipts(r, "web"); web[0].Cause != "failing" || len(receipts(r, "shown")) != 1 {
			t.Errorf("%+v", r.Receipts)
		}
	})
}

// TestHealthWithoutAShell checks HTTP and TCP checks of a service that listens only after a while.
func TestHealthWithoutAShell(t *testing.T) {
	for kind, test := range map[string]string{"HTTP": "http://%s/well", "TCP": "%s"} {
		t.Run(kind, func(t *testing.T) {
			inLevels(t, func(t *testing.T, l level) {
				address := freeAddress(t)
				b := start(t, l, fmt.Sprintf(`
services:
	web: {command: 'sh -c "echo first >> $LOG; sleep 0.2; exec $ACT answer %s 200"', healthcheck: {test: [%s, %q], interval: 10ms, retries: 100000}}
	next: {command: $ACT serve next, depends_on: {web: {condition: service_healthy}}}
`, address, kind, fmt.Sprintf(test, address)))
				b.noted("next up")
				b.order("first", "answer up", "next up")
				b.Signal(unix.SIGTERM)
				b.ends(0)
			})
		})
	}
	t.Run("HTTP, with an error", func(t *testing.T) {
		inLevels(t, func(t *testing.T, l level) {
			address := freeAddress(t)
			b := start(t, l, fmt.Sprintf(`services: {web: {command: $ACT answer %s 503, healthcheck: {test: [HTTP, "http://%s/"], interval: 10ms, start_period: 10s, start_interval: 10ms, retries: 1}}}`, address, address))
			b.noted("GET / HTTP/1.0")
			b.Signal(unix.SIGTERM)
			b.ends(0)
		})
	})
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer l.Close()
	return l.Addr().String()
}

// TestProbeIsKilledWhole checks that all processes of a check that hangs are killed at its timeout, and
// that the service goes on.
func TestProbeIsKilledWhole(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b := start(t, l, `
services:
	web:
		command: $ACT serve web
		healthcheck: {test: "echo check >> $LOG; sleep 1111 & exec sleep 1111", interval: 10ms, timeout: 100ms, retries: 1, start_period: 1h, start_interval: 10ms}
`)
		b.notedTimes(4, "check")
		// Two processes of the last check may run, and two that are being killed.
		if n := len(b.Tree("sleep")); n > 4 {
			t.Errorf("%d processes of checks are left", n)
		}
		b.Signal(unix.SIGTERM)
		r := b.ends(0)
		if web := receipts(r, "web"); len(web) != 1 || web[0].ExitStatus != 0 {
			t.Errorf("%+v", web)
		}
		if !strings.Contains(r.Stderr, "web/health: timed-out") {
			t.Errorf("stderr: %s", r.Stderr)
		}
	})
}
