package controlled

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/box"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// The ways in which a run ends.
const (
	stop    = "Stop"
	kill    = "Kill"
	timeout = "timeout"
	closes  = "client closes"
	killed  = "client SIGKILLed"
	frozen  = "freeze, then Stop"
)

var causes = map[string]string{
	stop: "stopped", kill: "killed", timeout: "timed-out", closes: "lease-ended", killed: "lease-ended", frozen: "stopped",
}

// size is how many processes a tree has besides its main process.
const size = 10

// kinds are the kinds of trees, and how many of their eleven processes survive a stop, because they ignore its
// signal. test/trees describes the kinds. Core dumps take long, and are in the other matrix.
var kinds = map[string]int{
	"plain": 0, "setsid": 0, "daemon": 0, "deaf": 11, "chain": 0, "nested": 0, "stopped": 0, "bomb": 0,
	"headless": 10, "headless-main": 11, "traced": 10, "no-exit-signal": 10, "clone-parent": 10, "vfork": 10,
	"inner-pidns": 10, "inner-userns": 10, "inner-cgroupns": 10, "memfd": 10, "no-argv": 10, "page-fault": 10,
	"sqpoll": 10, "fuse": 10, "threaded": 10,
}

// cell is a kind of tree and a way in which it is ended.
type cell struct{ kind, end string }

// site is a cginit with two services that must stay undisturbed.
type site struct {
	*box.Box
	mode   pod.Mode
	own    bool   // each run has a uid of its own
	marker string // in the command line of every process
	count  int    // how many runs there were
}

// TestTeardown ends every kind of tree in every way, beside two other services. When the end is
// reported, nothing of the tree may be left, and the services must be unchanged.
func TestTeardown(t *testing.T) {
	for level, place := range map[string]struct {
		mode pod.Mode
		own  bool
	}{"cgroup": {pod.Process1, false}, "tree": {pod.NoCgroup, false}, "uid": {pod.NoCgroup, true}} {
		t.Run(level, func(t *testing.T) {
			if place.own {
				harness.AsRoot(t)
			}
			t.Parallel()
			mode := place.mode
			s := newSite(t, mode, place.own)
			for range number(t, "CGINIT_RUNS", 1) {
				for _, kind := range slices.Sorted(maps.Keys(kinds)) {
					ends := []string{stop, kill, timeout, closes, killed, frozen}
					if kind == "fuse" || kind == "vfork" && mode == pod.NoCgroup {
						ends = ends[:5] // what is stuck in the kernel does not stand still
					}
					if kind == "fuse" && place.own {
						continue // most machines give the device to root alone
					}
					if (kind == "nested" || kind == "threaded") && mode == pod.NoCgroup {
						continue // no cgroups can be made here
					}
					for _, end := range ends {
						t.Run(kind+", "+end, func(t *testing.T) {
							if err := s.run(t, cell{kind, end}); err != nil {
								t.Error(err)
							}
						})
					}
				}
			}
			if r := s.End(t, 0); len(r.Receipts) != s.count+2 {
				t.Errorf("%d receipts for %d runs and 2 services", len(r.Receipts), s.count)
			}
			if left := pod.Marked(s.marker); len(left) > 0 {
				t.Errorf("%d processes are left: %q", len(left), left)
			}
		})
	}
}

func newSite(t *testing.T, mode pod.Mode, own bool) *site {
	t.Helper()
	s := &site{mode: mode, own: own, marker: fmt.Sprintf("controlled-%d-%s-%v", os.Getpid(), mode, own)}
	text := "stop_grace_period: 120s\nservices:\n"
	for name, kind := range map[string]string{"left": "plain", "right": "daemon"} {
		text += fmt.Sprintf("  %s: {command: [%s, %s, '3', --marker, %s], stop_grace_period: 60s}\n", name, harness.Bin(t, "trees"), kind, s.mark(name))
	}
	s.Box = box.Start(t, mode, text)
	pod.Until(t, "the neighbours have grown", func() bool { return len(s.neighbours()) == 8 })
	return s
}

func (s *site) mark(job string) string { return s.marker + ":" + job + ":" }

func (s *site) neighbours() []int {
	return slices.Concat(pod.Pids(s.mark("left")), pod.Pids(s.mark("right")))
}

// run makes one run of a cell and returns what is wrong with it.
func (s *site) run(t *testing.T, c cell) error {
	before := s.neighbours()
	receipt, err := s.finish(t, c)
	if err != nil {
		return err
	}
	if after := s.neighbours(); !slices.Equal(before, after) {
		err = fmt.Errorf("the processes of the neighbours were %v, and are %v", before, after)
	}
	return errors.Join(err, s.verify(c, receipt))
}

// finish starts a tree, ends it, looks for survivors at once, and returns the receipt.
func (s *site) finish(t *testing.T, c cell) (*control.Receipt, error) {
	switch c.end {
	case timeout:
		return s.timeUp(t, c)
	case killed:
		return s.clientKilled(t, c)
	}
	ctx, client := t.Context(), s.Dial(t)
	defer client.Close()
	p := s.params(t, c)
	lease, output, err := s.begin(t, client, p)
	if err != nil {
		return nil, err
	}
	if !ready(output) {
		return nil, errors.New("the tree did not get ready")
	}
	jobs := []string{p.Name}
	switch c.end {
	case kill:
		_, err = s.Kill(ctx, control.KillParams{Jobs: jobs})
	case closes:
		client.Close()
		return s.after(receiptOf(t, s.Box, p.Name), nil)
	case frozen:
		if _, err := s.Freeze(ctx, control.FreezeParams{Jobs: jobs}); err != nil {
			return nil, err
		}
		if !one(t, s.Box, p.Name).Frozen {
			return nil, errors.New("the frozen run is not shown as frozen")
		}
		fallthrough
	default:
		_, err = s.Stop(ctx, control.StopParams{Jobs: jobs})
	}
	if err != nil {
		return nil, err
	}
	if left := pod.Marked(s.mark(p.Name)); len(left) > 0 {
		return nil, fmt.Errorf("at the time of the reply these processes live: %v", left)
	}
	last, err := lease.Wait()
	if err != nil {
		return nil, err
	}
	return last.Receipt, nil
}

// after looks for survivors of a run whose end has just been reported.
func (s *site) after(r *control.Receipt, err error) (*control.Receipt, error) {
	if err != nil {
		return nil, err
	}
	if left := pod.Marked(s.mark(r.Job)); len(left) > 0 {
		return nil, fmt.Errorf("when the end is reported these processes live: %v", left)
	}
	return r, nil
}

// params returns the parameters of a run with a name of its own.
func (s *site) params(t *testing.T, c cell) control.RunParams {
	s.count++
	name := fmt.Sprintf("%s-%d", c.kind, s.count)
	p := command(harness.Bin(t, "trees"), c.kind, strconv.Itoa(size), "--marker", s.mark(name), "--rate", "500")
	p.Name, p.AutoUser = name, s.own
	p.Process.Env = append(p.Process.Env, "MARKER="+s.mark(name)) // for processes without a command line
	grace := map[bool]int64{true: 100}[kinds[c.kind] > 0]
	switch {
	case c.kind == "bomb":
		grace = 500
	case grace == 0 && c.end == timeout:
		// A tree that is still growing has processes that were not asked.
		grace = 1000
	case grace == 0:
		grace = 60_000 // longer than any tree needs
	}
	p.GracePeriod = &grace
	return p
}

// begin starts a run and returns its lease and its output.
func (s *site) begin(t *testing.T, client *control.Client, p control.RunParams) (*control.Lease, *os.File, error) {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, nil, err
	}
	defer null.Close()
	read, write, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	t.Cleanup(func() { read.Close() })
	defer write.Close()
	lease, err := client.Run(t.Context(), p, null, write, write)
	return lease, read, err
}

func ready(output *os.File) bool {
	line, _ := bufio.NewReader(output).ReadString('\n')
	return line == "ready\n"
}

// timeUp makes a run end by its time limit. It doubles the limit until the tree has grown before it,
// because a run that ends earlier proves nothing.
func (s *site) timeUp(t *testing.T, c cell) (*control.Receipt, error) {
	for limit := 200 * time.Millisecond; ; limit *= 2 {
		client, p := s.Dial(t), s.params(t, c)
		p.Timeout = limit.Milliseconds()
		lease, output, err := s.begin(t, client, p)
		if err != nil {
			return nil, err
		}
		grown := ready(output)
		last, err := lease.Wait()
		client.Close()
		if err != nil {
			return nil, err
		}
		if *last.ExitStatus != 124 {
			return nil, fmt.Errorf("the exit status is %d, not 124", *last.ExitStatus)
		}
		if grown || limit > pod.Patience {
			return s.after(last.Receipt, nil)
		}
	}
}

// clientKilled makes a run end by killing its cginitctl.
func (s *site) clientKilled(t *testing.T, c cell) (*control.Receipt, error) {
	p := s.params(t, c)
	grace := time.Duration(*p.GracePeriod) * time.Millisecond
	args := []string{"run", "--name", p.Name, "--stop-grace-period", grace.String()}
	if s.own {
		args = append(args, "--user", "auto")
	}
	cmd := ctl(t, s.Box, append(append(args, "--"), p.Process.Args...)...)
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer read.Close()
	cmd.Stdout = write
	err = cmd.Start()
	write.Close()
	if err != nil {
		return nil, err
	}
	grown := ready(read)
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // the error says that it was killed
	if !grown {
		return nil, errors.New("the tree did not get ready")
	}
	return s.after(receiptOf(t, s.Box, p.Name), nil)
}

// verify returns how a receipt differs from what it must say.
func (s *site) verify(c cell, r *control.Receipt) error {
	level := "cgroup"
	switch {
	case s.own:
		level = "uid"
	case s.mode == pod.NoCgroup:
		level = "tree"
	}
	if r == nil {
		return errors.New("there is no receipt")
	}
	if r.Cause != causes[c.end] || r.Containment != level || r.Guarantee == "" || r.Unkillable > 0 {
		return fmt.Errorf("the receipt says %s, %s, %q, %d unkillable", r.Cause, r.Containment, r.Guarantee, r.Unkillable)
	}
	if c.kind == "bomb" || c.kind == "stopped" || c.end == kill {
		// Which processes a bomb has at a given moment only the receipt knows. Kill kills all processes
		// unasked. How many stopped ones are killed varies.
		return nil
	}
	if want := kinds[c.kind]; r.Killed != want {
		return fmt.Errorf("the receipt says %d killed, not %d: %+v", r.Killed, want, r.Processes)
	}
	return nil
}
