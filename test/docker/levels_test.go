package docker

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/beside"
	"github.com/cginit/cginit/test/internal/engine"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// TestLevels checks the level that each kind of container gives, and that a job that leaves a daemon
// behind is completely torn down.
func TestLevels(t *testing.T) {
	d := v2(t)
	for _, c := range []struct {
		name, level string
		opts        []string
	}{
		{"default", "pidns", nil},
		{"writable cgroup", "cgroup", d.writable},
		{"writable cgroup, no capabilities", "cgroup", append([]string{"--cap-drop", "ALL", "--security-opt", "no-new-privileges"}, d.writable...)},
		{"read-only root", "pidns", []string{"--read-only"}},
		{"writable cgroup, read-only root", "cgroup", append([]string{"--read-only"}, d.writable...)},
		{"any user", "pidns", []string{"--user", "12345"}},
		{"writable cgroup, any user", "pidns", append([]string{"--user", "12345"}, d.writable...)},
		{"not process 1", "tree", []string{"--init"}},
		{"not process 1, writable cgroup", "cgroup", append([]string{"--init"}, d.writable...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d.Leftovers(t, c.level, c.opts, "")
		})
	}
}

func TestInitPath(t *testing.T) {
	start(t, "--init-path "+harness.Bin(t, "cginit")).IsInit(t)
}

func TestLevelOnCgroupV1(t *testing.T) {
	t.Parallel()
	v1(t).Leftovers(t, "pidns", nil, "")
}

// TestPrivateMount checks that with CAP_SYS_ADMIN cginit mounts the cgroup2 for itself alone, and that
// the job's own stays read-only.
func TestPrivateMount(t *testing.T) {
	t.Parallel()
	d := v2(t)
	b := d.Leftovers(t, "cgroup", []string{"--cap-add", "SYS_ADMIN"}, `
	for dir in $(sed -n 's/.* \(\/[^ ]*\) .* - cgroup2 .*/\1/p' /proc/self/mountinfo); do
		echo "sees $dir"
		mkdir "$dir/escape" && echo "can write"
	done
`)
	logs := b.Logs()
	if strings.Count(logs, "sees ") != 1 || !strings.Contains(logs, "sees /sys/fs/cgroup") {
		t.Errorf("the job must see only its own cgroup2:\n%s", logs)
	}
	if strings.Contains(logs, "can write") || !strings.Contains(logs, "Read-only file system") {
		t.Errorf("the job can write to a cgroup2:\n%s", logs)
	}
}

// TestRequire checks that cginit refuses a level that it cannot have before the command runs, and says
// how to get it.
func TestRequire(t *testing.T) {
	t.Parallel()
	d := v2(t)
	for _, level := range []string{"cgroup", "uid", "tree"} {
		b := d.Start(t, nil, "--require", level, "--", "touch", "/shared/ran")
		status, logs := b.Wait(), b.Logs()
		_, err := os.Stat(filepath.Join(b.Dir, "ran"))
		if level != "cgroup" {
			if status != 0 || err != nil {
				t.Errorf("--require %s: status %d, %v", level, status, err)
			}
			continue
		}
		if status != 125 {
			t.Errorf("the status is %d, not 125", status)
		}
		if err == nil {
			t.Error("the command was run")
		}
		for _, way := range []string{"docker", "--security-opt writable-cgroups=true", "security_opt", "podman", "--security-opt unmask=/sys/fs/cgroup", "kubernetes"} {
			if !strings.Contains(logs, way) {
				t.Errorf("the message does not name %q:\n%s", way, logs)
			}
		}
	}
}

func TestRequireIsMet(t *testing.T) {
	t.Parallel()
	d := v2(t)
	b := d.Start(t, d.writable, "--require", "cgroup", "--", "true")
	if status := b.Wait(); status != 0 {
		t.Errorf("the status is %d", status)
	}
}

// TestTerminationLog checks that /dev/termination-log says how the job ended, if the file exists.
// Kubernetes shows the end of this file.
func TestTerminationLog(t *testing.T) {
	t.Parallel()
	d := v2(t)
	file := filepath.Join(t.TempDir(), "termination-log")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	d.Leftovers(t, "pidns", []string{"--volume", file + ":/dev/termination-log"}, "")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"exit code 3", "1 killed", "sleep 1002"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the termination log does not say %q:\n%s", want, text)
		}
	}
}

func TestNoTerminationLog(t *testing.T) {
	t.Parallel()
	d := v2(t)
	b := d.Leftovers(t, "pidns", nil, "")
	if logs := b.Logs(); strings.Contains(logs, "termination-log") {
		t.Errorf("cginit complains that there is no termination log:\n%s", logs)
	}
}

// modest is a script whose tree is complete when it says that it is ready: a program that is still
// starting when no pid is left ends.
const modest = `/shared/trees plain 5 --marker MARK.good | { read line; echo >&3; exec sleep 1000; }
`

// greedy has two jobs, one of which takes all pids of its container.
const greedy = `
socket: /shared/socket
services:
  good:
    command: [/bin/sh, /shared/modest]
    ready: {fd: 3}
KEYS  bad:
    command: [/shared/trees, deaf, '500', --marker, MARK.bad]
    depends_on: [good]
    stop_grace_period: 200ms
    restart: 'no'
KEYS`

// TestFillsPids checks that a job that has all the pids of its container is completely torn down, and
// that its neighbour goes on. It needs cgroup v1, where the machine's own Docker has the pids
// controller.
func TestFillsPids(t *testing.T) {
	t.Parallel()
	d := v1(t)
	for level, keys := range map[string]string{"tree": "", "uid": "    user: auto\n"} {
		t.Run(level, func(t *testing.T) {
			b := d.Site(t, &beside.Site{})
			for name, text := range map[string]string{"cginit.yaml": greedy, "modest": modest} {
				text = strings.NewReplacer("MARK", b.Mark, "KEYS", keys).Replace(text)
				if err := os.WriteFile(filepath.Join(b.Dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			b.Begin([]string{"--pids-limit", "120"}, "--config", engine.SiteConfig)
			id := b.Output(t, "inspect", "--format", "{{.Id}}", b.Name)
			b.Await("no pid to be left", func() bool {
				events, err := os.ReadFile("/sys/fs/cgroup/pids/docker/" + id + "/pids.events")
				if err != nil {
					t.Fatal(err)
				}
				return string(events) != "max 0\n"
			})
			good := pod.Undisturbed(b.Mark + ".good")
			c, err := control.Dial(t.Context(), filepath.Join(b.Dir, "socket"), pod.Patience)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Stop(t.Context(), control.StopParams{Jobs: []string{"bad"}}); err != nil {
				t.Fatal(err)
			}
			if left := pod.Pids(b.Mark + ".bad"); len(left) > 0 {
				t.Errorf("these processes of the job live: %v", left)
			}
			status, err := c.Status(t.Context(), control.StatusParams{Job: "bad"})
			if r := status.Receipt; err != nil || r == nil || r.Containment != level || r.Killed < 20 || r.Unkillable > 0 {
				t.Errorf("the receipt says %+v, %v", r, err)
			}
			if now := pod.Undisturbed(b.Mark + ".good"); len(good) != 6 || !slices.Equal(good, now) {
				t.Errorf("the processes of the neighbour were %v and are %v", good, now)
			}
			if err := c.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			if status := b.Wait(); status != 0 {
				t.Errorf("the container ended with %d", status)
			}
		})
	}
}
