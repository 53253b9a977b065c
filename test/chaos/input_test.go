package chaos

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/pod"
)

// TestBadInput checks that cginit answers a user's mistake with one line that names it, and with the
// exit status for such a mistake.
func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	noLoader := filepath.Join(dir, "script")
	for file, mode := range map[string]os.FileMode{plain: 0o644, noLoader: 0o755} {
		if err := os.WriteFile(file, []byte("#!/no/interpreter\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	marker := filepath.Join(dir, "it ran")
	run := []string{"--", "touch", marker}
	flag := func(args ...string) []string { return append(args, run...) }
	for name, c := range map[string]struct {
		args []string
		env  string
		mode pod.Mode
		code int
		says string // words that must be in the line
	}{
		"no command":           {args: []string{}, code: 125, says: "no command"},
		"unknown flag":         {args: flag("--nope"), code: 125, says: "--nope"},
		"signal":               {args: flag("--stop-signal", "NOPE"), code: 125, says: `NOPE stop-signal`},
		"signal of no use":     {args: flag("--stop-signal", "KILL"), code: 125, says: "--stop-signal SIGKILL"},
		"duration":             {args: flag("--stop-grace-period", "9 seconds"), code: 125, says: "9 seconds --stop-grace-period"},
		"negative duration":    {args: flag("--timeout", "-1s"), code: 125, says: "--timeout -1s negative"},
		"kill mode":            {args: flag("--kill-mode", "all"), code: 125, says: "all --kill-mode mixed control-group process"},
		"leftovers":            {args: flag("--leftovers", "keep"), code: 125, says: "keep --leftovers stop wait kill"},
		"rewrite":              {args: flag("--rewrite", "TERM"), code: 125, says: "TERM --rewrite FROM:TO"},
		"rewrite of nothing":   {args: flag("--rewrite", "TERM:NOPE"), code: 125, says: "--rewrite NOPE"},
		"memory":               {args: flag("--memory", "64 potatoes"), code: 125, says: "64 potatoes --memory size"},
		"cpus":                 {args: flag("--cpus", "none"), code: 125, says: "none --cpus"},
		"pids":                 {args: flag("--pids-limit", "few"), code: 125, says: "few --pids-limit"},
		"user":                 {args: flag("--user", "nobody-of-that-name"), code: 125, says: "nobody-of-that-name --user"},
		"require":              {args: flag("--require", "much"), code: 125, says: "--require much cgroup uid tree"},
		"log format":           {args: flag("--log-format", "xml"), code: 125, says: "--log-format xml text json"},
		"variable":             {args: run, env: "CGINIT_TIMEOUT=soon", code: 125, says: "CGINIT_TIMEOUT soon"},
		"another variable":     {args: run, env: "CGINIT_REWRITE=TERM", code: 125, says: "CGINIT_REWRITE FROM:TO"},
		"not found":            {args: []string{"--", "no-such-command"}, code: 127, says: "no-such-command PATH"},
		"no such file":         {args: []string{"--", dir + "/none"}, code: 127, says: dir + "/none no such file"},
		"no interpreter":       {args: []string{"--", noLoader}, code: 127, says: noLoader + " interpreter"},
		"not executable":       {args: []string{"--", plain}, code: 126, says: plain + " executable"},
		"directory":            {args: []string{"--", dir}, code: 126, says: dir + " directory"},
		"report":               {args: flag("--report", "/no/such/dir/report"), code: 125, says: "report /no/such/dir/report no such file"},
		"report is directory":  {args: flag("--report", dir), code: 125, says: "report " + dir + " is a directory"},
		"cgroup in vain":       {args: flag("--require", "cgroup"), mode: pod.NoCgroup, code: 125, says: "--require cgroup pidns writable-cgroups compose podman kubernetes"},
		"limit without cgroup": {args: flag("--memory", "64m"), mode: pod.NoCgroup, code: 125, says: "limit cgroup"},
		"missing controller":   {args: flag("--memory", "64m"), code: 125, says: "memory controller"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := pod.Spec{Mode: pod.Process1, Args: c.args}
			if c.mode != "" {
				spec.Mode = c.mode
			}
			if c.env != "" {
				spec.Env = []string{c.env}
			}
			r := ends(t, pod.Start(t, spec), c.code)
			said := r.Stderr
			// At this level cginit first prints the line about the containment, in every run.
			if c.mode == pod.NoCgroup {
				said = strings.TrimPrefix(said, firstLine(said, "cginit: containment "))
			}
			if strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "cginit: ") || !hasAll(said, c.says) {
				t.Errorf("want one line with %q, got: %s", c.says, said)
			}
			if _, err := os.Stat(marker); err == nil {
				t.Error("the command was run")
			}
		})
	}
}

// firstLine returns the first line of text if it starts with start.
func firstLine(text, start string) string {
	if !strings.HasPrefix(text, start) {
		return ""
	}
	return text[:strings.Index(text, "\n")+1]
}

// hasAll returns whether text contains each of the words.
func hasAll(text, words string) bool {
	for word := range strings.FieldsSeq(words) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}
