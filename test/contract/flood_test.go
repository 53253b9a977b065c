package contract

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// TestNotifyFlood floods the NOTIFY_SOCKET of a service for two seconds with made-up messages and
// descriptors: from the service itself, and from a job that may not speak for it, as another user where
// there is one. No state may change, cginit must answer meanwhile, and it may keep no descriptor.
func TestNotifyFlood(t *testing.T) {
	// One level after the other: three floods at once leave the test no CPU to ask with.
	for _, l := range append(slices.Clone(levels), uid) {
		t.Run(l.name, func(t *testing.T) { flooded(t, l) })
	}
}

func flooded(t *testing.T, l level) {
	harness.AsRoot(t)
	as := ""
	if l.name != tree.name {
		as = `, user: "54598"`
	}
	b, c, open := gatedClient(t, l, "services:\n"+
		l.speaker("web", `echo $$NOTIFY_SOCKET > $DIR/name; mv $DIR/name $DIR/socket-name; $ACT await READY=1 STATUS=works; read x < $DIR/gate; $ACT flood fool 2; exec $ACT serve web`, "timeout: 1h")+
		"jobs:\n\tother: {command: "+sh(`until [ -e $DIR/socket-name ]; do sleep 0.02; done; export NOTIFY_SOCKET=$$(cat $DIR/socket-name); read x < $DIR/gate; exec $ACT flood forger 2`)+as+"}\n",
		"gate")
	_, err := c.Wait(within(t), control.WaitParams{Jobs: []string{"web"}, Until: control.UntilReady})
	check(t, err)
	before, files := state(t, c, "web"), openFiles(t, b.Pid)
	open["gate"]()
	open["gate"]()
	b.noted("fool floods", "forger floods")
	slowest, calls := time.Duration(0), 0
	for b.sent("fool") == 0 || b.sent("forger") == 0 {
		if strings.Contains(b.Stderr(), "act:") {
			t.Fatal(b.Stderr())
		}
		asked := time.Now()
		state(t, c, "web")
		slowest, calls = max(slowest, time.Since(asked)), calls+1
	}
	b.noted("web up")
	t.Logf("%d and %d messages, the slowest of %d calls took %v", b.sent("fool"), b.sent("forger"), calls, slowest)
	if slowest > time.Second {
		t.Errorf("during the flood a call took %v", slowest)
	}
	after := state(t, c, "web")
	if after.State != control.Running || after.Run != before.Run || after.Pid != before.Pid || after.Status != "works" {
		t.Errorf("before %+v\nafter  %+v", before, after)
	}
	pod.Until(t, "the descriptors of the flood are closed", func() bool { return openFiles(t, b.Pid) <= files })
	check(t, c.Shutdown(within(t)))
	r := b.ends(0)
	if web := receipts(r, "web"); len(web) != 1 || web[0].Cause != "stopped" {
		t.Errorf("%+v", web)
	}
	if n := strings.Count(r.Stderr, "in the name of web"); n == 0 || n > 20 {
		t.Errorf("%d lines about what was refused: %s", n, r.Stderr)
	}
}

// sent returns how many messages a flood has sent, 0 before its end.
func (b *box) sent(kind string) int {
	for _, note := range b.notes() {
		if text, ok := strings.CutPrefix(note, kind+" sent "); ok {
			n, _ := strconv.Atoi(text)
			return n
		}
	}
	return 0
}

// openFiles returns how many descriptors a process has.
func openFiles(t *testing.T, pid int) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/" + itoa(pid) + "/fd")
	check(t, err)
	return len(entries)
}
