package contract

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSpeakerIsGone checks that a process of another user that has ended before cginit can look at it
// cannot speak for a job, and that many such notifications fill no log.
func TestSpeakerIsGone(t *testing.T) {
	b, open := gated(t, cgroup, `
services:
	web:
		command: 'sh -c "echo $$NOTIFY_SOCKET > $DIR/name; mv $DIR/name $DIR/socket; read x < $DIR/gate; $ACT tell READY=1; exec sleep inf"'
		user: "54503"
		ready: notify
		watchdog: 1h
	next: {command: $ACT serve next, depends_on: [web]}
jobs:
	other:
		command: 'sh -ec "until [ -e $DIR/socket ]; do sleep 0.02; done; export NOTIFY_SOCKET=$$(cat $DIR/socket); for i in 1 2 3 4 5 6 7 8 9 10; do $ACT tell READY=1 STATUS=forged WATCHDOG=trigger; done; $ACT await X=1; echo told >> $LOG"'
		user: "54504"
`)
	b.noted("told")
	if b.count("next up") > 0 {
		t.Errorf("cginit believed a process of another user; notes %q", b.notes())
	}
	open()
	b.noted("next up")
	b.Signal(unix.SIGTERM)
	if n := len(receipts(b.ends(0), "web")); n != 1 {
		t.Errorf("web ran %d times: the forged watchdog was believed", n)
	}
	if n := strings.Count(b.Stderr(), "refused"); n != 2 { // the first of 32, and that they are 10
		t.Errorf("%d lines about 32 refused notifications: %q", n, b.Stderr())
	}
}

// TestSpeakerWaits checks that who waits until it is heard (sd_notify_barrier) is believed as any user:
// it still lives when cginit looks for it.
func TestSpeakerWaits(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		as := ""
		if l.name == cgroup.name {
			as = "as 54505 "
		}
		b := start(t, l, `
services:
	web: {command: 'sh -ec "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do $ACT `+as+`await STATUS=$$i; done; $ACT `+as+`await READY=1; exec $ACT serve web"', ready: notify}
	next: {command: $ACT serve next, depends_on: [web]}
`)
		b.noted("next up")
		b.Signal(unix.SIGTERM)
		b.ends(0)
		if strings.Contains(b.Stderr(), "refused") {
			t.Errorf("the log says %q", b.Stderr())
		}
	})
}

// TestSpeakerNamesAdopter checks that a notification in cginit's own name is believed. systemd-notify as
// root sends in the name of its parent, and that is cginit if it was orphaned.
func TestSpeakerNamesAdopter(t *testing.T) {
	b := start(t, cgroup, `
services:
	web: {command: 'sh -ec "$ACT claim 1 READY=1; exec $ACT serve web"', ready: notify}
	next: {command: $ACT serve next, depends_on: [web]}
`)
	b.noted("next up")
	b.Signal(unix.SIGTERM)
	b.ends(0)
}
