package podman

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/engine"
	"github.com/cginit/cginit/test/internal/golden"
	"github.com/cginit/cginit/test/internal/harness"
)

// example writes the parts of a file of examples/kubernetes that podman can play, and returns the path.
// A Job or a CronJob becomes the pod that it would make.
func example(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(harness.Root(), "examples/kubernetes", name))
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for doc := range strings.SplitSeq(string(text), "\n---\n") {
		switch {
		case strings.Contains(doc, "kind: RuntimeClass"):
		case strings.Contains(doc, "kind: Job"), strings.Contains(doc, "kind: CronJob"):
			kept = append(kept, podOf(t, doc))
		default:
			kept = append(kept, doc)
		}
	}
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(strings.Join(kept, "\n---\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// podOf returns the pod that the template in a manifest describes.
func podOf(t *testing.T, doc string) string {
	t.Helper()
	_, template, ok := strings.Cut(doc, "template:\n")
	indent := regexp.MustCompile(`^ *`).FindString(template)
	name := regexp.MustCompile(`(?m)^  name: (.*)$`).FindStringSubmatch(doc)
	if !ok || name == nil {
		t.Fatalf("no template in:\n%s", doc)
	}
	pod := "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name[1] + "}\n"
	for line := range strings.Lines(template) {
		pod += strings.TrimPrefix(line, indent)
	}
	return pod
}

// play runs an example. Container is the name of its only container.
func play(t *testing.T, e *engine.Engine, name, container string) *engine.Box {
	t.Helper()
	e.ImportExample(t, "localhost/cginit-example")
	file := example(t, name)
	t.Cleanup(func() { e.Afterwards(t, "play", "kube", "--down", file) })
	e.Output(t, "play", "kube", "--network", "none", file)
	return e.Made(t, strings.TrimSuffix(name, ".yaml")+"-"+container)
}

// TestKubernetes runs the examples unchanged, with a read-only cgroup.
func TestKubernetes(t *testing.T) {
	e := podman(t)
	for name, c := range map[string]struct {
		status int
		says   []string
	}{
		"one-command":             {3, []string{"containment pidns", "the work is done", "1 killed; nothing is left"}},
		"job":                     {0, []string{"containment pidns", "the work is done"}},
		"cron-job":                {0, []string{"containment pidns", "the work is done"}},
		"share-process-namespace": {3, []string{"containment tree", "the work is done", "1 killed; nothing is left"}},
		"writable-cgroups":        {125, []string{"--require cgroup cannot be met", "runtimeClassName: writable-cgroups"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := play(t, e, name+".yaml", "job")
			if status := e.Output(t, "wait", b.Name); status != strconv.Itoa(c.status) {
				t.Errorf("the container ended with %s, not %d", status, c.status)
			}
			for _, want := range c.says {
				if logs := b.Logs(); !strings.Contains(logs, want) {
					t.Errorf("the log lacks %q:\n%s", want, logs)
				}
			}
		})
	}
}

// TestKubernetesServices checks that the commands of the probes succeed, that each service is held by
// its uid, and that the services are torn down at the end.
func TestKubernetesServices(t *testing.T) {
	e := podman(t)
	b := play(t, e, "services.yaml", "services")
	b.Await("the startup probe to be content", func() bool { return e.Command(t, "exec", b.Name, "cginitctl", "health").Run() == nil })
	said := b.Exec("cginitctl", "ps", "--json")
	if strings.Count(said, `"containment":"uid"`) != 2 {
		t.Errorf("two services must be held by their uids:\n%s", said)
	}
	hooked, err := os.ReadFile(example(t, "pre-stop.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	hook := regexp.MustCompile(`exec: {command: \[(.*)]}`).FindSubmatch(hooked)
	b.Exec(strings.Split(string(hook[1]), ", ")...)
	if said := b.Exec("cginitctl", "ps", "--json"); strings.Count(said, `"state":"running"`) != 1 {
		t.Errorf("one service must run and one must be stopped:\n%s", said)
	}
	e.Output(t, "stop", b.Name)
	if logs := b.Logs(); strings.Count(logs, "nothing is left") != 2 {
		t.Errorf("two services must be torn down completely:\n%s", logs)
	}
}

// TestCheckInPod compares the output of --check in a restricted pod with testdata.
func TestCheckInPod(t *testing.T) {
	e := podman(t)
	e.ImportExample(t, "localhost/cginit-example")
	text, err := os.ReadFile(example(t, "one-command.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "check.yaml")
	pod := strings.NewReplacer("[cginit, --]", "[cginit, --check]", "name: one-command", "name: check").Replace(string(text))
	pod = regexp.MustCompile(`(?m)^ *args: .*\n`).ReplaceAllString(pod, "")
	if err := os.WriteFile(file, []byte(pod), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Afterwards(t, "play", "kube", "--down", file) })
	e.Output(t, "play", "kube", "--network", "none", file)
	e.Output(t, "wait", "check-job")
	golden.Check(t, "pod", e.Made(t, "check-job").Logs())
}
