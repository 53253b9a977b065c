package docker

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each kind of container gives the level that it can, and a job that leaves a daemon behind is
// torn down whole in all of them.
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

func TestLevelOnCgroupV1(t *testing.T) {
	t.Parallel()
	v1(t).Leftovers(t, "pidns", nil, "")
}

// With CAP_SYS_ADMIN the cgroup2 is mounted for cginit alone: the job's own stays read-only.
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
		t.Errorf("the job was to see one cgroup2, its own:\n%s", logs)
	}
	if strings.Contains(logs, "can write") || !strings.Contains(logs, "Read-only file system") {
		t.Errorf("the job can write to a cgroup2:\n%s", logs)
	}
}

// What cannot be given is refused before the command runs, with the way to have it.
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
			t.Error("the command ran all the same")
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

// Kubernetes shows the end of this file; where it is there it says how the job ended.
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
		t.Errorf("a file that need not be there is missed:\n%s", logs)
	}
}
