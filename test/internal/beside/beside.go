// Package beside proves that jobs are kept apart where no cgroup can be written. Many jobs run side by
// side in one cginit, and each is ended in every way. Each time nothing of it may be left, and nothing
// may have happened to any other.
package beside

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/pod"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// kinds are the kinds of tree that make no cgroups.
var kinds = []string{"plain", "setsid", "daemon", "deaf", "chain", "stopped", bomb}

// bomb is not compared as a neighbour, because its processes come and go.
const bomb = "bomb"

// The ways in which a job ends while the others go on.
const (
	stop  = "stop"
	kill  = "kill"
	exits = "exits" // the main process ends and leaves the others
	timed = "timed" // the time limit has passed
)

var causes = map[string]string{stop: "stopped", kill: "killed", exits: "exited", timed: "timed-out"}

// size is how many processes a tree has besides its main process.
const size = 10

// Site is one cginit. Start it with the file that Config returns.
type Site struct {
	Level  string
	Trees  string // path of the program trees for the jobs
	Socket string // path for cginit
	Own    bool   // each job has a uid of its own
	Sealed bool   // each job is sealed

	marker string
	socket string // path for this process
	client *control.Client
}

// Config returns the configuration file.
func (s *Site) Config() string {
	s.marker = "beside-" + strings.ToLower(rand.Text())
	text := "socket: " + s.Socket + "\nservices:\n"
	for _, kind := range kinds {
		text += s.job(kind)
	}
	return text
}

func (s *Site) job(kind string) string {
	text := fmt.Sprintf("  %s:\n    command: ['%s']\n    restart: 'no'\n    stop_grace_period: %s\n",
		kind, strings.Join(s.command(kind, kind), "', '"), grace(kind))
	if s.Own {
		text += "    user: auto\n"
	}
	if s.Sealed {
		text += "    seal: true\n"
	}
	return text
}

// command returns the command of a job.
func (s *Site) command(kind, job string) []string {
	return []string{s.Trees, kind, strconv.Itoa(size), "--marker", s.mark(job), "--rate", "1000"}
}

// grace returns a grace period. It is short for kinds that use it up, and long for those that must not.
func grace(kind string) time.Duration {
	switch kind {
	case "deaf":
		return 100 * time.Millisecond
	case bomb:
		return 500 * time.Millisecond
	}
	return pod.Patience
}

func (s *Site) mark(job string) string { return s.marker + ":" + job + ":" }

// Runs returns how often each cell is run: CGINIT_RUNS, or once.
func Runs(t *testing.T) int {
	n, err := strconv.Atoi(cmp.Or(os.Getenv("CGINIT_RUNS"), "1"))
	if err != nil || n < 1 {
		t.Fatalf("CGINIT_RUNS=%q is not a number of runs", os.Getenv("CGINIT_RUNS"))
	}
	return n
}

// Test ends every job in every way. Socket is the path of the socket for this process.
func (s *Site) Test(t *testing.T, socket string) {
	t.Helper()
	client, err := control.Dial(t.Context(), socket, pod.Patience)
	if err != nil {
		t.Fatal(err)
	}
	s.client, s.socket = client, socket
	t.Cleanup(func() { client.Close() })
	pod.Until(t, "all is up", func() bool {
		h, err := client.Health(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return h.Healthy
	})
	s.must(t, bomb, stop)
	for _, kind := range kinds {
		if kind != bomb {
			s.grown(t, kind)
		}
	}
	for range Runs(t) {
		for _, kind := range kinds {
			for _, way := range []string{stop, kill, exits, timed} {
				if err := s.cell(t, kind, way); err != nil {
					t.Fatalf("%s, %s: %v", kind, way, err)
				}
			}
		}
	}
	if err := client.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	s.gone(t)
}

// grown waits until the whole tree of a job exists.
func (s *Site) grown(t *testing.T, job string) {
	t.Helper()
	pod.Until(t, job+" has grown", func() bool {
		pids := pod.Pids(s.mark(job))
		parents := map[string]bool{}
		for _, pid := range pids {
			parents[pod.Status(pid, "PPid")] = true
		}
		isParent := func(pid int) bool { return parents[strconv.Itoa(pid)] }
		if job == bomb { // some are always about to be replaced
			return len(pids) > size/2
		}
		return len(pids) > size && (job != "daemon" || !slices.ContainsFunc(pids, isParent))
	})
}

// must ends a job in a way and checks only that the call succeeds.
func (s *Site) must(t *testing.T, job, way string) {
	t.Helper()
	if err := s.end(t.Context(), job, way); err != nil {
		t.Fatalf("%s, %s: %v", job, way, err)
	}
}

// cell ends one job in one way, and returns what is wrong afterwards.
func (s *Site) cell(t *testing.T, kind, way string) error {
	job := kind
	if way == timed {
		job += "-" + way
	}
	ctx := t.Context()
	before := s.others(job)
	if way == timed {
		if err := s.run(ctx, kind, job); err != nil {
			return err
		}
	} else if kind == bomb {
		if _, err := s.client.Start(ctx, control.StartParams{Jobs: []string{job}}); err != nil {
			return err
		}
	}
	if way != timed {
		s.grown(t, job)
	}
	if err := s.end(ctx, job, way); err != nil {
		return err
	}
	if left := pod.Pids(s.mark(job)); len(left) > 0 {
		return fmt.Errorf("%d processes of the job live: %v", len(left), left)
	}
	if after := s.others(job); !maps.EqualFunc(before, after, slices.Equal) {
		return fmt.Errorf("the processes of the other jobs were\n%v, and are\n%v", before, after)
	}
	if err := s.told(ctx, kind, job, way); err != nil || job != kind || kind == bomb {
		return err
	}
	if _, err := s.client.Start(ctx, control.StartParams{Jobs: []string{job}}); err != nil {
		return err
	}
	s.grown(t, job)
	return nil
}

// run starts a job that may run for a second. A job of the file with that limit could end while others
// still start.
func (s *Site) run(ctx context.Context, kind, job string) error {
	client, err := control.Dial(ctx, s.socket, pod.Patience)
	if err != nil {
		return err
	}
	defer client.Close()
	grace := grace(kind).Milliseconds()
	p := control.RunParams{Name: job, Timeout: time.Second.Milliseconds(), GracePeriod: &grace, Detach: true, Seal: s.Sealed}
	p.Process.Args = s.command(kind, job)
	if s.Own {
		own := uint32(ownUID + slices.Index(kinds, kind))
		p.Process.User = &specs.User{UID: own, GID: own}
	}
	_, err = client.Run(ctx, p)
	return err
}

// ownUID is the first uid of those that runs get explicitly.
const ownUID = 50007

// end ends a job in a way and returns when the job has ended.
func (s *Site) end(ctx context.Context, job, way string) (err error) {
	jobs := []string{job}
	switch way {
	case stop:
		_, err = s.client.Stop(ctx, control.StopParams{Jobs: jobs})
	case kill:
		_, err = s.client.Kill(ctx, control.KillParams{Jobs: jobs})
	case exits:
		if _, err = s.client.Signal(ctx, control.SignalParams{Jobs: jobs, Signal: "KILL"}); err != nil {
			return err
		}
		fallthrough
	default:
		_, err = s.client.Wait(ctx, control.WaitParams{Jobs: jobs, Until: control.UntilEnded})
	}
	return err
}

// others returns the processes of all other jobs, by job.
func (s *Site) others(job string) map[string][]string {
	all := map[string][]string{}
	for _, kind := range kinds {
		if kind != bomb && kind != job {
			all[kind] = pod.Undisturbed(s.mark(kind))
		}
	}
	return all
}

// told checks the receipt of a job.
func (s *Site) told(ctx context.Context, kind, job, way string) error {
	status, err := s.client.Status(ctx, control.StatusParams{Job: job})
	if err != nil {
		return err
	}
	r := status.Receipt
	if r == nil || r.Cause != causes[way] || r.Containment != s.Level || r.Guarantee == "" || r.Unkillable > 0 {
		return fmt.Errorf("the receipt says %+v", r)
	}
	// In these cases only cginit can know which processes there were when it asked them.
	if kind == bomb || kind == "stopped" || way != exits {
		return nil
	}
	killed := 0
	if kind == "deaf" {
		killed = size
	}
	if r.Signal != "SIGKILL" || r.Asked != size || r.Killed != killed || r.Left != size-killed {
		return fmt.Errorf("%d asked, %d left, %d killed, not %d killed of %d", r.Asked, r.Left, r.Killed, killed, size)
	}
	return nil
}

// gone waits for cginit to end, and then until no process of any job is left.
func (s *Site) gone(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), pod.Patience)
	defer cancel()
	if err := s.client.Gone(ctx); err != nil {
		t.Errorf("cginit does not end: %v", err)
	}
	deadline := time.Now().Add(pod.Patience)
	for left := pod.Pids(s.marker); len(left) > 0; left = pod.Pids(s.marker) {
		if time.Now().After(deadline) {
			t.Fatalf("these processes live on: %v", left)
		}
	}
}
