// Package check compares the output of cginit --check with the facts, on the host and in a container
// that the test makes. The suites test/docker and test/podman do that for containers of the engines.
package check

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/cginit/cginit/test/internal/golden"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

func TestMain(m *testing.M) { os.Exit(pod.Main(m)) }

// said is the output and the exit status of --check.
type said struct {
	out  string
	code int
}

// onHost runs --check as an ordinary process of the host, and checks that it leaves nothing.
func onHost(t *testing.T, uid int, args ...string) said {
	t.Helper()
	cmd := exec.Command(harness.Bin(t, "cginit"), append([]string{"--check"}, args...)...)
	cmd.Dir, cmd.Env = "/", []string{"PATH=" + os.Getenv("PATH")}
	box := pod.Enclose(t, cmd)
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}
	out, _ := cmd.CombinedOutput()
	if err := box.Clean(); err != nil {
		t.Errorf("--check left something behind: %v", err)
	}
	return said{string(out), cmd.ProcessState.ExitCode()}
}

// inPod runs --check as process 1 of a container.
func inPod(t *testing.T, spec pod.Spec, args ...string) said {
	t.Helper()
	output := filepath.Join(pod.OpenDir(t), "output")
	file, err := os.Create(output)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if spec.Env == nil {
		spec.Env = []string{"container=test"} // so that --check finds the same platform on every host
	}
	spec.Args, spec.Stdout = append([]string{"--check"}, args...), file
	r := pod.Start(t, spec).Wait()
	if err := r.Clean(); err != nil {
		t.Errorf("--check left something behind: %v", err)
	}
	text, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	return said{string(text) + r.Stderr, r.Code}
}

// socket returns a path for a socket that cginit may use as any user.
func socket(t *testing.T) string { return filepath.Join(pod.OpenDir(t), "socket") }

func TestSurroundings(t *testing.T) {
	here := socket(t)
	for name, run := range map[string]func(args ...string) said{
		"host-root":       func(args ...string) said { return onHost(t, 0, args...) },
		"host-user":       func(args ...string) said { return onHost(t, 54321, args...) },
		"container":       func(args ...string) said { return inPod(t, pod.Spec{Mode: pod.NoCgroup}, args...) },
		"container-bare":  func(args ...string) said { return inPod(t, pod.Spec{Mode: pod.NoCgroup, Bare: true}, args...) },
		"container-write": func(args ...string) said { return inPod(t, pod.Spec{Mode: pod.Process1}, args...) },
	} {
		t.Run(name, func(t *testing.T) {
			harness.AsRoot(t) // an ordinary user would need a user namespace for each of them
			s := run("--socket", here)
			if s.code != 0 {
				t.Errorf("--check ended with %d", s.code)
			}
			golden.Check(t, name, machine(s.out), here, "{socket}")
			if _, err := os.Lstat(here); err == nil {
				t.Error("--check has left the socket behind")
			}
			var found struct {
				Platform string
				Levels   []struct{ What, Level string }
			}
			if err := json.Unmarshal([]byte(run("--socket", here, "--json").out), &found); err != nil {
				t.Fatal(err)
			}
			for _, l := range found.Levels {
				if !regexp.MustCompile(`(?m)^  ` + l.What + ` +` + l.Level + `$`).MatchString(s.out) {
					t.Errorf("the table lacks the line %v of the JSON output", l)
				}
			}
		})
	}
}

// TestPlatforms checks that cginit recognizes the container runtime by the marks that it leaves in the
// container, and names the way for that platform first.
func TestPlatforms(t *testing.T) {
	harness.AsRoot(t) // in a user namespace the first advice would be to start it as root
	pods := []string{"KUBERNETES_SERVICE_HOST=10.0.0.1"}
	for platform, c := range map[string]struct {
		env   []string
		marks string // files in /run
		add   string
	}{
		"docker":     {[]string{"container=docker"}, "", "writable-cgroups=true"},
		"podman":     {[]string{"container=podman"}, ".containerenv", "unmask=/sys/fs/cgroup"},
		"kubernetes": {pods, "", "runtimeClassName"},
		"cri-o":      {pods, ".containerenv", "io.kubernetes.cri-o"},
		"nomad":      {[]string{"NOMAD_ALLOC_ID=1", "container=docker"}, "", "security_opt ="},
	} {
		t.Run(platform, func(t *testing.T) {
			spec := pod.Spec{Mode: pod.NoCgroup, Env: c.env, Tmpfs: []string{"/run"}}
			if c.marks != "" {
				spec.Wrap = []string{"busybox", "sh", "-c", "touch /run/" + c.marks + ` && exec "$@"`, "sh"}
			}
			var found struct {
				Platform string
				Ways     []struct{ Platform, Add string }
			}
			if err := json.Unmarshal([]byte(inPod(t, spec, "--json").out), &found); err != nil {
				t.Fatal(err)
			}
			if found.Platform != platform || found.Ways[0].Platform != platform || !strings.Contains(found.Ways[0].Add, c.add) {
				t.Errorf("--check finds platform %s and names %+v first", found.Platform, found.Ways[0])
			}
		})
	}
}

// machine replaces facts about the host in the output, because they differ from machine to machine.
func machine(out string) string {
	for is, becomes := range map[string]string{
		`(?m)^(  capabilities +chown dac_override dac_read_search).*`: "${1} {more}",
		`(?m)^(  cgroups +v1 and v2, v2 at|  cgroups +v2, v2 at).*`:   "  cgroups               {mount}",
		`no permission to create a cgroup: mkdir \S+:`:                "no permission to create a cgroup: mkdir {dir}:",
		`cgroup v2 is mounted read-only: \S+`:                         "cgroup v2 is mounted read-only: {dir}",
	} {
		out = regexp.MustCompile(is).ReplaceAllString(out, becomes)
	}
	return out
}

// TestRequire checks that the exit status tells whether cginit would start.
func TestRequire(t *testing.T) {
	harness.AsRoot(t)
	dir := pod.OpenDir(t)
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	own := file("own.yaml", "socket: none\nservices: {a: {command: sleep 1, user: auto}, b: {command: sleep 1, user: auto}}")
	shared := file("shared.yaml", "socket: none\nservices: {a: {command: sleep 1, user: auto}, b: {command: sleep 1}}")
	same := file("same.yaml", "socket: none\nservices: {a: {command: sleep 1, user: '7'}, b: {command: sleep 1, user: '7'}}")
	limited := file("limited.yaml", "socket: none\nservices: {a: {command: sleep 1, mem_limit: 64m}}")
	wrong := file("wrong.yaml", "socket: none\nservices: {a: {comand: sleep 1}}")
	absent := file("absent.yaml", "socket: none\nservices: {a: {command: no-such-program}}")
	for name, c := range map[string]struct {
		mode pod.Mode
		args []string
		code int
		says string
	}{
		"cgroup":               {pod.Process1, []string{"--require", "cgroup"}, 0, ""},
		"cgroup in vain":       {pod.NoCgroup, []string{"--require", "cgroup"}, 1, "--require cgroup cannot be met, the best here is pidns"},
		"uid by process 1":     {pod.NoCgroup, []string{"--require", "uid"}, 0, ""},
		"uids of their own":    {pod.NoCgroup, []string{"--require", "uid", "--config", own}, 0, ""},
		"one without":          {pod.NoCgroup, []string{"--require", "uid", "--config", shared}, 1, "b: --require uid cannot be met, this would be tree"},
		"two with the same":    {pod.NoCgroup, []string{"--require", "uid", "--config", same}, 1, "a: --require uid cannot be met"},
		"tree":                 {pod.NoCgroup, []string{"--require", "tree", "--config", shared}, 0, ""},
		"cgroup for a file":    {pod.Process1, []string{"--require", "cgroup", "--config", shared}, 0, ""},
		"one with our user":    {pod.NoCgroup, []string{"--config", shared}, 0, "\n  b: what has cginit's own user can trace it"},
		"a limit":              {pod.NoCgroup, []string{"--config", limited}, 1, "a: limits need a writable cgroup v2"},
		"a limit, best effort": {pod.NoCgroup, []string{"--best-effort-limits", "--config", limited}, 0, ""},
		"an unknown key":       {pod.NoCgroup, []string{"--config", wrong}, 1, "comand"},
		"no such program":      {pod.NoCgroup, []string{"--config", absent}, 1, "no-such-program"},
		"no such command":      {pod.NoCgroup, []string{"--", "no-such-program"}, 1, "no-such-program"},
		"a socket in vain":     {pod.NoCgroup, []string{"--socket", "/no/such/dir/socket"}, 1, "there is no directory /no/such/dir"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := inPod(t, pod.Spec{Mode: c.mode}, c.args...)
			if s.code != c.code || !strings.Contains(s.out, c.says) {
				t.Errorf("--check ended with %d and says:\n%s", s.code, s.out)
			}
		})
	}
}

// TestRequiredAtStart checks that cginit refuses to start where --check says so.
func TestRequiredAtStart(t *testing.T) {
	harness.AsRoot(t)
	config := filepath.Join(pod.OpenDir(t), "cginit.yaml")
	text := "socket: none\nservices: {a: {command: sleep 1000, user: auto}, b: {command: touch " + config + ".ran, user: '0'}}"
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r := pod.Start(t, pod.Spec{Mode: pod.NoCgroup, Args: []string{"--require", "uid", "--config", config}}).Wait()
	if r.Code != 125 || !strings.Contains(r.Stderr, "b: --require uid cannot be met") || r.Clean() != nil {
		t.Errorf("status %d, %v; stderr: %s", r.Code, r.Clean(), r.Stderr)
	}
	if _, err := os.Stat(config + ".ran"); err == nil {
		t.Error("the job was started")
	}
}

// TestUserNamespace checks that user: auto takes a uid that the user namespace maps. If the namespace
// maps too few, cginit says so before it starts anything.
func TestUserNamespace(t *testing.T) {
	harness.AsRoot(t)
	config := filepath.Join(pod.OpenDir(t), "cginit.yaml")
	text := "socket: none\njobs: {a: {command: id -u, user: auto}, b: {command: id -u, user: auto}}"
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for uids, want := range map[int]string{1: "", 3000: "", 3001: "uid", 65536: "uid"} {
		t.Run(strconv.Itoa(uids), func(t *testing.T) {
			t.Parallel()
			spec := pod.Spec{Mode: pod.NoCgroup, UIDs: uids, Args: []string{"--config", config}}
			s := inPod(t, spec, "--config", config)
			r := pod.Start(t, spec).Wait()
			if want == "" {
				const says = "a: user: auto needs 3001 uids, and this user namespace has "
				if s.code != 1 || !strings.Contains(s.out, says) || r.Code != 125 || !strings.Contains(r.Stderr, says) {
					t.Errorf("check %d: %s\nstart %d: %s", s.code, s.out, r.Code, r.Stderr)
				}
				return
			}
			if s.code != 0 || r.Code != 0 || len(r.Receipts) != 2 {
				t.Fatalf("check %d: %s\nstart %d: %s", s.code, s.out, r.Code, r.Stderr)
			}
			for _, got := range r.Receipts {
				if got.Containment != want || got.ExitStatus != 0 {
					t.Errorf("%+v", got)
				}
			}
		})
	}
}

// TestBestEffortLimits checks that cginit reports limits that it cannot enforce, and runs the command.
func TestBestEffortLimits(t *testing.T) {
	args := []string{"--memory", "64m", "--pids-limit", "50", "--", "sh", "-c", "exit 3"}
	r := pod.Start(t, pod.Spec{Mode: pod.NoCgroup, Args: args}).Wait()
	if r.Code != 125 || !strings.Contains(r.Stderr, "limits need a writable cgroup v2") {
		t.Errorf("status %d; stderr: %s", r.Code, r.Stderr)
	}
	r = pod.Start(t, pod.Spec{Mode: pod.NoCgroup, Args: append([]string{"--best-effort-limits"}, args...)}).Wait()
	if r.Code != 3 || !strings.Contains(r.Stderr, "memory limit is not enforced") || !strings.Contains(r.Stderr, "pids limit is not enforced") {
		t.Errorf("status %d; stderr: %s", r.Code, r.Stderr)
	}
}
