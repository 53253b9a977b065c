package levels

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// attack is a cginit with a hostile job, bad, and a harmless neighbour, good.
type attack struct {
	*pod.Pod
	*control.Client
	marker    string
	socket    string
	neighbour []string
}

// good is a job of six processes that fork no more. The five children have stopped themselves.
const good = `for i in 1 2 3 4 5; do busybox sh -c "kill -STOP \$$\$$; : MARKER" & done; wait; : MARKER`

// start runs a hostile job beside the neighbour, as process 1 without a cgroup. MARKER in the command
// stands for the text by which its processes are found. Keys are more lines of its configuration.
func start(t *testing.T, command []string, keys string) *attack {
	t.Helper()
	return startIn(t, pod.Spec{Mode: pod.NoCgroup}, command, keys)
}

// startIn is start in other surroundings.
func startIn(t *testing.T, spec pod.Spec, command []string, keys string) *attack {
	t.Helper()
	if strings.Contains(keys, "user: auto") {
		harness.AsRoot(t)
	}
	dir := pod.OpenDir(t)
	a := &attack{marker: filepath.Base(dir)}
	a.socket = filepath.Join(dir, "socket")
	config := fmt.Sprintf("socket: %s\nservices:\n  good: {command: [busybox, sh, -c, '%s']}\n  bad:\n    command: ['%s']\n    restart: 'no'\n    stop_grace_period: 100ms\n%s",
		a.socket, strings.ReplaceAll(good, "MARKER", a.marker+".good"), strings.NewReplacer("$", "$$", "MARKER", a.marker+".bad").Replace(strings.Join(command, "', '")), keys)
	spec.Args = []string{"--config", write(t, "cginit.yaml", config)}
	a.Pod = pod.Start(t, spec)
	client, err := control.Dial(t.Context(), a.socket, pod.Patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	a.Client = client
	pod.Until(t, "the neighbour stands still", func() bool {
		a.neighbour = pod.Undisturbed(a.marker + ".good")
		return len(a.neighbour) == 6 && strings.Count(strings.Join(a.neighbour, " "), "stopped") == 5
	})
	return a
}

// grown waits until the hostile job has n processes.
func (a *attack) grown(t *testing.T, n int) {
	t.Helper()
	pod.Until(t, "all are there", func() bool { return len(pod.Pids(a.marker+".bad")) == n })
}

// ended checks that nothing of the hostile job is left, that its neighbour goes on, and that nothing at
// all is left after the shutdown. It returns the receipt.
func (a *attack) ended(t *testing.T) (r *control.Receipt) {
	t.Helper()
	status, err := a.Status(t.Context(), control.StatusParams{Job: "bad"})
	if err != nil {
		t.Fatal(err)
	}
	if r = status.Receipt; r == nil || r.Unkillable > 0 {
		t.Fatalf("the receipt says %+v", r)
	}
	if left := pod.Pids(a.marker + ".bad"); len(left) > 0 {
		t.Errorf("these processes of the job live: %v", left)
	}
	if now := pod.Undisturbed(a.marker + ".good"); !slices.Equal(now, a.neighbour) {
		t.Errorf("the processes of the neighbour were %v and are %v", a.neighbour, now)
	}
	if err := a.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := a.Pod.Wait().Clean(); err != nil {
		t.Error(err)
	}
	return r
}

// kill kills the hostile job and calls ended.
func (a *attack) kill(t *testing.T) *control.Receipt {
	t.Helper()
	if _, err := a.Kill(t.Context(), control.KillParams{Jobs: []string{"bad"}}); err != nil {
		t.Fatal(err)
	}
	return a.ended(t)
}

// killHolder is a script that leaves a daemon and tries to kill the holder.
const killHolder = `setsid busybox sh -c "sleep 1000; : MARKER" & kill -9 $PPID && echo sent || echo refused; sleep 1000; : MARKER`

// TestKillsHolder lets a job kill a holder of the same uid. cginit must say so and kill the processes
// that the holder held.
func TestKillsHolder(t *testing.T) {
	for name, spec := range map[string]pod.Spec{
		"tree": {Mode: pod.NoCgroup}, "marked": {Mode: pod.NoCgroup, NoSubreaper: true},
		"tree, not process 1":   {Mode: pod.Subreaper, UID: 54321},
		"marked, not process 1": {Mode: pod.Subreaper, UID: 54321, NoSubreaper: true},
	} {
		level, _, _ := strings.Cut(name, ",")
		t.Run(name, func(t *testing.T) {
			a := startIn(t, spec, []string{"busybox", "sh", "-c", killHolder}, "")
			a.Line("sent")
			timeout := pod.Patience.Milliseconds()
			_, err := a.Client.Wait(t.Context(), control.WaitParams{Jobs: []string{"bad"}, Until: control.UntilEnded, Timeout: &timeout})
			if err != nil {
				t.Fatal(err)
			}
			r := a.ended(t)
			if !strings.Contains(a.Stderr(), "bad: its holder was killed") {
				t.Errorf("cginit does not say that the holder was killed: %s", a.Stderr())
			}
			if r.Killed == 0 || len(r.Processes) == 0 || r.Containment != level {
				t.Errorf("the receipt lists no killed process: %+v", r)
			}
		})
	}
}

// TestElders checks that cginit kills no process that was its child before it became cginit, even if a
// holder is killed.
func TestElders(t *testing.T) {
	elder := filepath.Base(pod.OpenDir(t)) + ".elder"
	wrap := []string{"busybox", "sh", "-c", "busybox sh -c 'sleep 1000; : " + elder + "' & exec \"$@\"", "sh"}
	a := startIn(t, pod.Spec{Mode: pod.NoCgroup, Wrap: wrap}, []string{"busybox", "sh", "-c", killHolder}, "")
	timeout := pod.Patience.Milliseconds()
	_, err := a.Client.Wait(t.Context(), control.WaitParams{Jobs: []string{"bad"}, Until: control.UntilEnded, Timeout: &timeout})
	if err != nil {
		t.Fatal(err)
	}
	if len(pod.Pids(elder)) == 0 {
		t.Error("the process that was there before cginit was killed")
	}
	a.ended(t)
}

// TestHolderOutOfReach checks that a job with a uid of its own cannot kill its holder.
func TestHolderOutOfReach(t *testing.T) {
	a := start(t, []string{"busybox", "sh", "-c", killHolder}, "    user: auto\n")
	a.Line("refused")
	if r := a.kill(t); r.Containment != "uid" {
		t.Errorf("the containment is %s, not uid", r.Containment)
	}
}

// TestContinuesItsSiblings runs a job whose processes continue each other while the holder stops them
// for the list.
func TestContinuesItsSiblings(t *testing.T) {
	const script = `trap "" TERM; for i in 1 2 3 4; do (trap "" TERM; while :; do kill -CONT 0; done; : MARKER) & done; echo up; wait`
	for _, keys := range []string{"", "    user: auto\n"} {
		a := start(t, []string{"busybox", "sh", "-c", script}, keys)
		a.Line("up")
		a.kill(t)
	}
}

// TestFillsItsLimit checks that a job that has as many processes as its limit allows is completely torn
// down.
func TestFillsItsLimit(t *testing.T) {
	bin := harness.Bin(t, "trees")
	a := start(t, []string{bin, "deaf", "60", "--marker", "full"}, "    user: auto\n    ulimits: {nproc: 30}\n")
	// The limit of 30 tasks includes the threads of the main process, which keeps trying to fork.
	pod.Until(t, "the limit is reached", func() bool { return len(a.Tree("trees")) >= 20 })
	a.kill(t)
}

// TestForkBomb kills 400 lines of processes that fork and exit. It takes the time of the kill from the
// receipt, because the machine may be busy otherwise.
func TestForkBomb(t *testing.T) {
	for level, keys := range map[string]string{"tree": "", "uid": "    user: auto\n", "marked": ""} {
		t.Run(level, func(t *testing.T) {
			spec := pod.Spec{Mode: pod.NoCgroup, NoSubreaper: level == "marked"}
			a := startIn(t, spec, []string{harness.Bin(t, "trees"), "bomb", "400", "--rate", "4000"}, keys)
			a.Line("ready")
			r := a.kill(t)
			t.Logf("%+v", r.Phases)
			if took := r.Phases.Freeze + r.Phases.Kill; took > 5000 || r.Containment != level {
				t.Errorf("at level %s the kill took %.0f ms", r.Containment, took)
			}
		})
	}
}
