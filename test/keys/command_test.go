package keys

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/pod"
)

// alone is a file with one job that has only these keys, its command among them.
func alone(keys string) string {
	return "jobs:\n  main:\n    " + strings.ReplaceAll(keys, "\n", "\n    ") + "\n"
}

// commands checks that a command given as text is split into words as by a shell, and that no shell
// runs it.
func commands(t *testing.T) {
	is(t, saysWith(t, alone(`command: printf '<%s>' $$HOME "a  b" c\ d "|" echo`)), "<$HOME><a  b><c d><|><echo>\n")
	is(t, saysWith(t, alone(`command: [printf, "<%s>", $$HOME, "a  b", ""]`)), "<$HOME><a  b><>\n")
}

// entrypoints checks that the command becomes the arguments of the entrypoint.
func entrypoints(t *testing.T) {
	is(t, saysWith(t, alone("entrypoint: printf '<%s>' one\ncommand: [two, 'three four']")), "<one><two><three four>\n")
	is(t, saysWith(t, alone("entrypoint: [printf, '<%s>', one]\ncommand: two 'three four'")), "<one><two><three four>\n")
	is(t, saysWith(t, alone("entrypoint: [printf, alone]")), "alone\n")
}

const variables = `echo "$A|$B|$INHERITED|$PATH"; env | grep -c CGINIT_`

// environments checks that variables are added to those of cginit, and that cginit's own CGINIT_
// variables are not passed on.
func environments(t *testing.T) {
	path := os.Getenv("PATH")
	for _, keys := range []string{
		"environment: {A: one, B: 2, PATH: }",
		"environment: [A=one, B=2, PATH]",
		"environment:\n  A: ${A:-one}\n  B: 2\n  INHERITED:",
	} {
		file := one("jobs", variables+"; :", keys)
		is(t, saysWith(t, file, "--stop-grace-period", "5s"), "one|2|from cginit|"+path+"\n0\n")
	}
	is(t, says(t, "environment: {INHERITED: mine}", "echo $INHERITED"), "mine\n")
}

// envFiles checks that a later file overrides an earlier one, and that environment overrides both.
func envFiles(t *testing.T) {
	dir := pod.OpenDir(t)
	for name, text := range map[string]string{"a": "A=a\nB=a\nC='a  $A'\n# D=a\n", "b": "export B=\"b\"\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	keys := "env_file: [" + dir + "/a, {path: " + dir + "/b}, {path: " + dir + "/c, required: false}]\nenvironment: {A: key}"
	is(t, says(t, keys, `echo "$A|$B|$C|$D"`), "key|b|a  $A|\n")
	is(t, says(t, "env_file: "+dir+"/a", `echo "$A|$B"`), "a|a\n")
}

func workingDir(t *testing.T) {
	is(t, says(t, "", "pwd; readlink /proc/$$/cwd"), "/\n/\n")
	is(t, says(t, "working_dir: /usr/lib", "pwd; readlink /proc/$$/cwd"), "/usr/lib\n/usr/lib\n")
	is(t, saysWith(t, alone("working_dir: /usr\ncommand: [bin/pwd]")), "/usr\n") // found from the working directory
}

// labels checks that the control socket shows the labels, and that they change nothing of the process.
func labels(t *testing.T) {
	w := start(t, one("services", "echo up; exec sleep 1000", "labels: {tier: front, n: 1}"))
	w.Line("up")
	c, err := control.Dial(t.Context(), w.dir+"/socket", pod.Patience)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	reply, err := c.Status(t.Context(), control.StatusParams{Job: "main"})
	if err != nil {
		t.Fatal(err)
	}
	if l := reply.Job.Labels; len(l) != 2 || l["tier"] != "front" || l["n"] != "1" {
		t.Errorf("its labels are shown as %v", l)
	}
	w.stop()
}

// profiles checks that a job does not exist without its profile.
func profiles(t *testing.T) {
	file := "jobs:\n" + entry("main", "echo main", "") + entry("debug", "echo debug", "profiles: [debug, trace]\ndepends_on: {main: {condition: service_completed_successfully}}")
	is(t, saysWith(t, file), "main\n")
	is(t, saysWith(t, file, "--profile", "other"), "main\n")
	is(t, saysWith(t, file, "--profile", "debug"), "main\ndebug\n")
}
