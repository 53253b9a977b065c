package daemons

import (
	"strings"
	"syscall"
	"testing"

	known "github.com/cginit/cginit/init/config/programs"
	"github.com/cginit/cginit/test/internal/pod"
)

// stopsByTable stops the daemon with stop_signal: auto, within the default grace period. It ends gracefully, which
// counts as success, and the start has nothing to say.
func (d daemon) stopsByTable(t *testing.T) {
	if d.run == "exec sleep infinity" {
		return // the row is about other programs than its main process
	}
	p, name := known.Find(d.command())
	if p == nil {
		t.Fatalf("it is not in the table: %q", d.run)
	}
	keys := []string{"stop_signal: auto", "reload_signal: auto"}
	for key := range strings.Lines(d.keys) {
		key = strings.TrimSuffix(key, "\n")
		if !strings.HasPrefix(key, "stop_") && !strings.HasPrefix(key, "kill_mode") {
			keys = append(keys, key)
		}
	}
	d.keys, d.exit = strings.Join(keys, "\n"), 0
	w := d.start(t, false)
	w.until("it serves", d.serves)
	if advice := w.Stderr(); strings.Contains(advice, "daemon: "+name) && p.Field("reload") != "" {
		t.Errorf("advice about a file that is right: %s", advice)
	}
	if signal := p.Field("reload"); signal == "" {
		if said, err := w.ctl("reload", "daemon"); err == nil || !strings.Contains(said, "no signal reloads "+name) {
			t.Errorf("it was reloaded: %v, %s", err, said)
		}
	} else if signal == d.reload {
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
}
