// Package contract runs cginit with real files of services and jobs. It checks the process contract:
// when cginit starts each job, what it says, how it ends, and its exit status.
package contract

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "8") // a run mostly waits
	os.Exit(pod.Main(m))
}

// level is a containment and the surroundings that have it.
type level struct {
	name string
	spec pod.Spec
}

// ordinary is the first of the uids of users without any rights.
const ordinary = 54400

var users atomic.Int32

var (
	cgroup = level{"cgroup", pod.Spec{Mode: pod.Process1}}
	tree   = level{"tree", pod.Spec{Mode: pod.Subreaper, UID: ordinary}}
	levels = []level{cgroup, tree}
)

// inLevels runs a test at each level. It must behave the same at all of them.
func inLevels(t *testing.T, test func(t *testing.T, l level)) {
	for _, l := range levels {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			test(t, l)
		})
	}
}

// box is a running cginit and the directory of its file.
type box struct {
	*pod.Pod
	t    *testing.T
	dir  string // every user may write here
	file string
}

// start runs cginit with a file. In the file $ACT is the program act, $LOG the file that act writes to,
// and $DIR a directory.
func start(t *testing.T, l level, file string, args ...string) *box {
	t.Helper()
	return startAs(t, l.spec, file, args...)
}

func startAs(t *testing.T, spec pod.Spec, file string, args ...string) *box {
	t.Helper()
	b := prepare(t, &spec, file)
	b.run(spec, args...)
	return b
}

// run starts cginit with the file.
func (b *box) run(spec pod.Spec, args ...string) {
	b.t.Helper()
	spec.Args = append([]string{"--socket", "none", "--config", b.file}, args...)
	b.Pod = pod.Start(b.t, spec)
}

func prepare(t *testing.T, spec *pod.Spec, file string) *box {
	t.Helper()
	if spec.UID == ordinary {
		// With a user of its own each cginit has its limits to itself, and its jobs cannot kill
		// another's.
		spec.UID += int(users.Add(1))
	}
	dir := pod.OpenDir(t)
	b := &box{t: t, dir: dir, file: filepath.Join(dir, "cginit.yaml")}
	spec.Env = append(slices.Clone(spec.Env), "ACT="+harness.Bin(t, "act"), "LOG="+b.log(), "DIR="+dir)
	b.write(file)
	check(t, os.WriteFile(b.log(), nil, 0o666))
	check(t, os.Chmod(b.log(), 0o666)) // whatever the umask is: at level uid each job is another user
	return b
}

func (b *box) log() string { return filepath.Join(b.dir, "log") }

// write replaces the configuration file.
func (b *box) write(file string) {
	b.t.Helper()
	if err := os.WriteFile(b.file, []byte(strings.ReplaceAll(file, "\t", "  ")), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// notes returns the lines of $LOG so far.
func (b *box) notes() []string {
	text, _ := os.ReadFile(b.log())
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// count returns how often $LOG contains a line.
func (b *box) count(line string) (n int) {
	for _, note := range b.notes() {
		if note == line {
			n++
		}
	}
	return n
}

// noted waits until $LOG contains each of the lines, in any order.
func (b *box) noted(lines ...string) {
	b.t.Helper()
	for _, line := range lines {
		b.notedTimes(1, line)
	}
}

// notedTimes waits until $LOG contains a line n times. If cginit ends before that, the test fails at
// once.
func (b *box) notedTimes(n int, line string) {
	b.t.Helper()
	pod.Until(b.t, "note "+line, func() bool {
		if b.count(line) >= n {
			return true
		}
		if pod.Status(b.Pid, "State") == "" && b.count(line) < n {
			b.t.Fatalf("cginit has ended without the note %q; notes: %q; stderr: %s", line, b.notes(), b.Stderr())
		}
		return false
	})
}

// said waits until the text is on stderr. If cginit ends before that, the test fails at once.
func (b *box) said(text string) {
	b.t.Helper()
	pod.Until(b.t, "stderr "+text, func() bool {
		if strings.Contains(b.Stderr(), text) {
			return true
		}
		if pod.Status(b.Pid, "State") == "" && !strings.Contains(b.Stderr(), text) {
			b.t.Fatalf("cginit has ended without saying %q; stderr: %s", text, b.Stderr())
		}
		return false
	})
}

// order fails the test unless $LOG contains the lines in that order. Other lines may be between them.
func (b *box) order(lines ...string) {
	b.t.Helper()
	at := -1
	for _, line := range lines {
		i := slices.Index(b.notes()[at+1:], line)
		if i < 0 {
			b.t.Fatalf("%q does not follow %q in the notes %q", line, lines[:slices.Index(lines, line)], b.notes())
		}
		at += 1 + i
	}
}

// ends waits for the end, and fails the test unless cginit ended with that code and left nothing.
func (b *box) ends(code int) *pod.Result {
	b.t.Helper()
	r := b.Wait()
	if r.Code != code || r.Signal != 0 {
		b.t.Errorf("cginit ended with %d (signal %d), not %d; notes: %q; stderr: %s", r.Code, r.Signal, code, b.notes(), r.Stderr)
	}
	if err := r.Clean(); err != nil {
		b.t.Errorf("%v; stderr: %s", err, r.Stderr)
	}
	return r
}

// says fails the test unless each of the texts is on stderr exactly once.
func says(t *testing.T, r *pod.Result, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if n := strings.Count(r.Stderr, text); n != 1 {
			t.Errorf("%q is on stderr %d times, not once; stderr: %s", text, n, r.Stderr)
		}
	}
}

// receipts returns the receipts of a job.
func receipts(r *pod.Result, job string) (all []pod.Receipt) {
	for _, receipt := range r.Receipts {
		if receipt.Job == job {
			all = append(all, receipt)
		}
	}
	return all
}
