// Package keys shows the effect of every key of a service or a job on a real process: in its /proc
// entry, in its output, in how it ends.
package keys

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cginit/cginit/test/internal/pod"
)

func TestMain(m *testing.M) { os.Exit(pod.Main(m)) }

// world is a cginit with a file in a container.
type world struct {
	*pod.Pod
	t   *testing.T
	dir string // what {dir} in the file stands for
}

// start runs cginit with a file.
func start(t *testing.T, file string, flags ...string) *world {
	return startIn(t, pod.Process1, file, flags...)
}

func startIn(t *testing.T, mode pod.Mode, file string, flags ...string) *world {
	t.Helper()
	dir := pod.OpenDir(t)
	args := append([]string{"--config", write(t, dir, file), "--socket", dir + "/socket"}, flags...)
	return &world{t: t, dir: dir, Pod: pod.Start(t, pod.Spec{
		Mode: mode, Args: args, Report: filepath.Join(dir, "receipts"), Env: []string{"INHERITED=from cginit"},
	})}
}

// write makes a configuration file in dir and replaces {dir} in it by dir.
func write(t *testing.T, dir, file string) string {
	t.Helper()
	path := filepath.Join(dir, "cginit.yaml")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(file, "{dir}", dir)), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// one is a file with one service or job. Its command is a script, and keys has one key a line.
func one(section, script, keys string) string { return section + ":\n" + entry("main", script, keys) }

// entry is a service or job in a file.
func entry(name, script, keys string) string {
	indented := strings.ReplaceAll(strings.TrimSuffix(keys, "\n"), "\n", "\n    ")
	return "  " + name + ":\n    command: " + command(script) + "\n    " + indented + "\n"
}

// command returns a script as a list of words in JSON, which is also YAML.
func command(script string) string {
	words, _ := json.Marshal([]string{"sh", "-c", strings.ReplaceAll(script, "$", "$$")}) // cannot fail for strings
	return string(words)
}

// rest returns what is still to come on stdout until everything has ended.
func (w *world) rest() string {
	w.t.Helper()
	var text strings.Builder
	for {
		line, ok := w.Says("")
		if !ok {
			return text.String()
		}
		text.WriteString(line + "\n")
	}
}

// stop asks cginit to end, checks that it exits with 0 and leaves nothing, and returns the receipts.
func (w *world) stop() []receipt {
	w.t.Helper()
	w.Signal(syscall.SIGTERM)
	return w.ends(0)
}

// ends waits for the end of cginit, checks its exit code and that nothing is left, and returns the
// receipts.
func (w *world) ends(code int) (all []receipt) {
	w.t.Helper()
	r := w.Wait()
	if err := r.Clean(); err != nil {
		w.t.Error(err)
	}
	if r.Code != code {
		w.t.Errorf("cginit ended with %d (%v), not %d: %s", r.Code, r.Signal, code, r.Stderr)
	}
	file, err := os.Open(filepath.Join(w.dir, "receipts"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer file.Close()
	for lines := json.NewDecoder(file); lines.More(); {
		var r receipt
		if err := lines.Decode(&r); err != nil {
			w.t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// receipt is the part of a receipt that the tests use.
type receipt struct {
	Job, Cause, Signal string

	Run, Asked, Left, Killed int

	Success    bool
	StopSignal string `json:"stop_signal"`
	StopWhy    string `json:"stop_signal_why"`
	Hint       string

	ExitStatus int                `json:"exit_status"`
	Phases     map[string]float64 `json:"phases_ms"`
}

// only returns the receipt. There must be exactly one.
func only(t *testing.T, all []receipt) receipt {
	t.Helper()
	if len(all) != 1 {
		t.Fatalf("%d receipts, not one: %+v", len(all), all)
	}
	return all[0]
}

// says runs one job to its end and returns what it has printed.
func says(t *testing.T, keys, script string) string {
	t.Helper()
	return saysWith(t, one("jobs", script, keys))
}

func saysWith(t *testing.T, file string, flags ...string) string {
	t.Helper()
	w := start(t, file, flags...)
	said := w.rest()
	w.ends(0)
	return said
}

// is compares the output of a job with what it must be.
func is(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("the output is:\n%s\nand not:\n%s", got, want)
	}
}
