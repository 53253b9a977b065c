package daemons

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	known "github.com/cginit/cginit/init/config/programs"
	"github.com/cginit/cginit/test/internal/pod"
)

// stopsByTable runs the daemon with what the table knows, and stops it within the default grace period. It is ready
// when it says so, reloads by its signal, ends gracefully in its usual time, which counts as success, and the start
// has nothing to say.
func (d daemon) stopsByTable(t *testing.T) {
	p, name := known.Find(d.command())
	if p == nil {
		t.Fatalf("it is not in the table: %q", d.run)
	}
	t.Logf("the table knows %s, and here is %s", p.Field("version"), d.version())
	keys := []string{"stop_signal: auto"}
	if p.Field("ready") == "notifies" {
		keys = append(keys, "ready: notify")
	}
	if p.Field("reload") != "" {
		keys = append(keys, "reload_signal: auto")
	}
	for key := range strings.Lines(d.keys) {
		key = strings.TrimSuffix(key, "\n")
		if !strings.HasPrefix(key, "stop_") && !strings.HasPrefix(key, "kill_mode") && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	d.keys, d.exit = strings.Join(keys, "\n"), 0
	w := d.start(t, false)
	w.until("it serves", d.serves)
	w.warned("")
	if signal := p.Field("reload"); signal != "" {
		if signal != d.reload {
			w.reloads = "" // counts the reloads by another signal
		}
		w.reload(func() (said string, err error) { // some handle the signal only once they have said that they are ready
			pod.Until(t, "it can be reloaded", func() bool {
				said, err = w.ctl("reload", "daemon")
				return err == nil
			})
			return said, err
		})
	}
	if said, err := w.ctl("stop", "daemon"); err != nil {
		t.Errorf("cannot stop it: %v: %s", err, said)
	}
	w.Signal(syscall.SIGTERM)
	w.ends()
	r := w.receipts()
	if took := time.Duration((r[0].Phases["ask"] + r[0].Phases["leave"]) * float64(time.Millisecond)); len(r) != 1 || took > usual(p) {
		t.Errorf("%s took %s to stop, in %d runs; the table says %s", name, took, len(r), usual(p))
	}
}

// usual returns three times what the table says that a stop takes, for a machine that is busy.
func usual(p *known.Program) time.Duration {
	takes, err := time.ParseDuration(p.Field("takes"))
	if err != nil {
		takes = time.Second
	}
	const busy = 3
	return busy * takes
}
