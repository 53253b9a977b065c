package chaos

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

// places are all levels, as root and as an ordinary user: the mode, what the command line needs for the level,
// and the user of cginit.
var places = map[string]struct {
	mode  pod.Mode
	calls bool
	uid   int
}{
	"cgroup":               {pod.Process1, false, 0},
	"cgroup, no process 1": {pod.Subreaper, false, 0},
	"pidns":                {pod.NoCgroup, false, 0},
	"tree":                 {pod.NoCgroup, true, 0},
	"tree, ordinary user":  {pod.Subreaper, false, 54325},
}

// TestScore checks that the kernel would rather kill a job than cginit, when it lacks memory.
func TestScore(t *testing.T) {
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			args := []string{"--", "sh", "-c", `echo "$(cat /proc/self/oom_score_adj) $(cat /proc/$PPID/oom_score_adj) ready"; read x`}
			if place.calls {
				args = append([]string{"--socket", filepath.Join(pod.OpenDir(t), "socket")}, args...)
			}
			p := pod.Start(t, pod.Spec{Mode: place.mode, UID: place.uid, Args: args})
			line := p.Line("ready")
			var job, parent int
			if _, err := fmt.Sscan(line, &job, &parent); err != nil || job < parent+10 {
				t.Errorf("the scores of the job and of its parent are %q", line)
			}
			p.EndInput()
			ends(t, p, 1)
		})
	}
}

// TestNoMemoryLeft lets cginit get no more memory, from outside, and then makes it need some. Go's runtime ends
// if it cannot have it. Nothing of the job may be left then.
func TestNoMemoryLeft(t *testing.T) {
	for name, place := range places {
		if name == "pidns" || place.uid > 0 {
			continue // nothing makes it need memory without a control socket; nobody may limit another user's
		}
		for _, what := range []int{unix.RLIMIT_AS, unix.RLIMIT_DATA} {
			t.Run(name+", limit "+strconv.Itoa(what), func(t *testing.T) {
				socket := filepath.Join(pod.OpenDir(t), "socket")
				args := append([]string{"--socket", socket}, trees(t, "deaf", "5")...)
				p := pod.Start(t, pod.Spec{Mode: place.mode, UID: place.uid, Untraced: true, Args: args})
				p.Line("ready")
				if err := unix.Prlimit(p.Pid, what, &unix.Rlimit{}, nil); err != nil {
					t.Fatal(err)
				}
				// Many clients at once, whose calls take memory.
				for range 500 {
					c, err := control.Dial(t.Context(), socket, time.Second)
					if err != nil {
						break // it has ended
					}
					defer c.Close()
					_, _ = c.List(t.Context(), control.ListParams{})
				}
				_ = unix.Kill(p.Pid, unix.SIGKILL) // if the memory that it had was enough
				r := p.Wait()
				for _, alive := range r.Alive {
					// The guardian may still be at work; it looks like cginit, or has its own name.
					if strings.Contains(alive, ") "+harness.Bin(t, "trees")) {
						t.Errorf("left: %s; stderr: %s", alive, r.Stderr)
					}
				}
			})
		}
	}
}

// TestOutputOfProcess1 checks that a job of our own uid can write to the output of process 1, which many
// images do to reach the log of the container: > /proc/1/fd/1.
func TestOutputOfProcess1(t *testing.T) {
	for _, mode := range []pod.Mode{pod.Process1, pod.NoCgroup} {
		t.Run(string(mode), func(t *testing.T) {
			p := pod.Start(t, pod.Spec{Mode: mode, Args: []string{"--", "sh", "-c", "exec >/dev/null; echo logged >/proc/1/fd/1"}})
			p.Line("logged")
			ends(t, p, 0)
		})
	}
}
