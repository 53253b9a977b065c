package chaos

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// probe prints what a process inherits. Descriptor 3 is the shell's own, of the directory. The signal
// mask cannot be read from outside, because the shell blocks signals while it forks.
const probe = `
	echo descriptors: /proc/$$/fd/*
	grep -E '^(Umask|SigIgn|SigBlk|Groups|Uid|Gid|NoNewPrivs|Seccomp|Cap...):' /proc/self/status
	pwd
	ulimit -a
	env | sort`

// TestInheritance compares what a command inherits from cginit with what it inherits without cginit.
func TestInheritance(t *testing.T) {
	for name, wrap := range map[string]string{
		"plain":           `exec "$@"`,
		"ignored signals": `trap '' HUP INT; exec "$@"`,
		"a descriptor":    `exec "$@" 5</dev/null`,
		"umask":           `umask 027; exec "$@"`,
		"limits":          `ulimit -n 321; ulimit -c 0; exec "$@"`,
		"an environment":  `export GOGC=7 GOMAXPROCS=3 TERM=vt220; exec "$@"`,
	} {
		t.Run(name, func(t *testing.T) {
			plain := exec.Command("sh", "-c", wrap, "sh", "sh", "-c", "cat >/dev/null;"+probe)
			plain.Dir, plain.Env = "/usr", []string{"PATH=" + os.Getenv("PATH"), "HOME=/root", "LANG=C.UTF-8"}
			text, err := plain.Output()
			if err != nil {
				t.Fatal(err)
			}
			want := inherited(string(text))
			inModes(t, func(t *testing.T, mode pod.Mode) {
				spec := pod.Spec{Mode: mode, Dir: "/usr", Args: []string{"--", "sh", "-c", "cat >/dev/null;" + probe + "; echo end"}}
				spec.Wrap = []string{"sh", "-c", wrap, "sh"}
				p := pod.Start(t, spec)
				p.EndInput()
				var lines strings.Builder
				for line := p.Line(""); line != "end"; line = p.Line("") {
					lines.WriteString(line + "\n")
				}
				ends(t, p, 0)
				got, want := inherited(lines.String()), want
				// The command must not get descriptors that the container runtime has left open in
				// process 1.
				if mode != pod.Subreaper {
					want = slices.Concat([]string{"descriptors: 0 1 2 3"}, want[1:])
				}
				if mode == pod.NoCgroup { // a container has fewer capabilities
					got, want = without(got, "Cap"), without(want, "Cap")
				}
				if os.Geteuid() != 0 { // a user namespace has other ids
					for _, field := range []string{"Uid:", "Gid:", "Groups:"} {
						got, want = without(got, field), without(want, field)
					}
				}
				if len(got) != len(want) {
					t.Fatalf("got %q, not %q", got, want)
				}
				for i := range got {
					if got[i] != want[i] {
						t.Errorf("got %s, not %s", got[i], want[i])
					}
				}
			})
		})
	}
}

// inherited makes two outputs of probe comparable, by taking out the pid of the process.
func inherited(text string) []string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "descriptors:") {
			for _, path := range strings.Fields(line)[1:] {
				line = strings.Replace(line, path, path[strings.LastIndex(path, "/")+1:], 1)
			}
			lines[i] = line
		}
	}
	return lines
}

func without(lines []string, start string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(s string) bool { return strings.HasPrefix(s, start) })
}

// TestVariables checks that the command does not get cginit's own variables, and gets all others.
func TestVariables(t *testing.T) {
	p := pod.Start(t, pod.Spec{
		Mode: pod.Process1, Env: []string{"CGINIT_STOP_GRACE_PERIOD=1s", "CGINIT_VERBOSE=true", "OTHER=stays"},
		Args: []string{"--", "sh", "-c", "env; echo end"},
	})
	other := false
	for line := p.Line(""); line != "end"; line = p.Line("") {
		other = other || line == "OTHER=stays"
		if strings.HasPrefix(line, "CGINIT_") {
			t.Errorf("the command has %s", line)
		}
	}
	if !other {
		t.Error("the command does not have OTHER")
	}
	ends(t, p, 0)
}

// TestProcessSubstitution checks that the command gets a descriptor that the caller has opened for it.
func TestProcessSubstitution(t *testing.T) {
	cmd := exec.Command(harness.Command(t, "bash"), "-c", `"$0" -- cat <(echo hi)`, harness.Bin(t, "cginit"))
	box := pod.Enclose(t, cmd)
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "hi\n" {
		t.Errorf("%v, %q", err, out)
	}
	if err := box.Clean(); err != nil {
		t.Error(err)
	}
}

// TestNohup checks that a command started by nohup ignores SIGHUP under cginit too.
func TestNohup(t *testing.T) {
	inModes(t, func(t *testing.T, mode pod.Mode) {
		p := pod.Start(t, pod.Spec{
			Mode: mode, Wrap: []string{"nohup"},
			Args: []string{"--", "sh", "-c", "grep SigIgn /proc/self/status; kill -HUP $$; echo lives; cat"},
		})
		if line := p.Line("SigIgn"); !strings.HasSuffix(line, "1") {
			t.Errorf("the command has %s", line)
		}
		p.Line("lives")
		p.EndInput()
		ends(t, p, 0)
	})
}
