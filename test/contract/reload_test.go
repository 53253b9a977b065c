package contract

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

// grown is a file whose one job notes that a reload has brought it.
const grown = `jobs: {added: {command: ["sh", "-c", "echo added >> $LOG"]}}`

// TestReloadIsReadAsTheLastJobEnds: a reload is under way, in the reading of the file, when the last
// job ends. It is carried out, and what it brings is run.
func TestReloadIsReadAsTheLastJobEnds(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		b := start(t, l, `jobs: {last: {command: `+sh(`echo up >> $LOG; until [ -e $DIR/go ]; do sleep 0.02; done`)+`}}`, "-v")
		b.noted("up")
		check(t, os.Remove(b.file))
		check(t, unix.Mkfifo(b.file, 0o666))
		check(t, os.Chmod(b.file, 0o666))
		fifo, err := os.OpenFile(b.file, os.O_RDWR, 0) // which does not wait for a reader
		check(t, err)
		b.Signal(unix.SIGHUP)
		pod.Until(t, "the reading of the file", func() bool { return hasOpen(b.Pid, b.file) })
		b.touch("go")
		b.said("last: exited")
		_, err = fifo.WriteString(grown)
		check(t, err)
		check(t, fifo.Close())
		r := b.ends(0)
		says(t, r, "reloaded: 1 new")
		if b.count("added") != 1 {
			t.Errorf("the job that the reload brought was not run: %q", b.notes())
		}
	})
}

// TestReloadIsAskedForAsTheLastJobEnds: the signal that asks for a reload comes together with the end
// of the last job. It is carried out, whichever of the two is seen first.
func TestReloadIsAskedForAsTheLastJobEnds(t *testing.T) {
	for round := range 20 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			t.Parallel()
			script := `cp $DIR/grown $DIR/cginit.yaml; kill -HUP 1`
			spec := cgroup.spec
			b := prepare(t, &spec, `jobs: {last: {command: `+sh(script)+`}}`)
			check(t, os.WriteFile(b.dir+"/grown", []byte(grown), 0o644))
			b.run(spec)
			r := b.ends(0)
			says(t, r, "reloaded: 1 new")
			if b.count("added") != 1 {
				t.Errorf("the job that the reload brought was not run: %q", b.notes())
			}
		})
	}
}

// TestReloadLeavesWhatWasStopped: a service that somebody has stopped takes its new definition, and stays
// stopped until somebody starts it.
func TestReloadLeavesWhatWasStopped(t *testing.T) {
	inLevels(t, func(t *testing.T, l level) {
		const file = `
services:
	a: {command: $ACT serve old}
	b: {command: $ACT serve other}
`
		b, c := client(t, l, file)
		b.noted("old up", "other up")
		_, err := c.Stop(t.Context(), control.StopParams{Jobs: []string{"a"}})
		check(t, err)
		b.write(strings.ReplaceAll(file, "old", "new"))
		reply, err := c.Reload(t.Context())
		check(t, err)
		status, err := c.Status(t.Context(), control.StatusParams{Job: "a"})
		check(t, err)
		if !slices.Equal(reply.Changed, []string{"a"}) || status.Job.State != control.Idle || b.count("new up") > 0 {
			t.Errorf("changed %v, a is %s, notes %q", reply.Changed, status.Job.State, b.notes())
		}
		_, err = c.Start(t.Context(), control.StartParams{Jobs: []string{"a"}})
		check(t, err)
		b.noted("new up")
		b.Signal(unix.SIGTERM)
		b.ends(0)
	})
}

// hasOpen tells whether a process has a file open.
func hasOpen(pid int, file string) bool {
	fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	return slices.ContainsFunc(fds, func(fd string) bool {
		link, _ := os.Readlink(fd)
		return link == file
	})
}
