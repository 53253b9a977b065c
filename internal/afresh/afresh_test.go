package afresh

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

// state is a shell script that prints what a program inherits from this test binary.
const state = `
	grep -E '^(Umask|SigIgn|SigBlk):' /proc/self/status
	readlink /proc/self/fd/0
	test ! -e /proc/$$/fd/9 || echo descriptor 9
	test "$(ulimit -n)" = 4096 || echo limit "$(ulimit -n)"
	env | grep -E '^(CGINIT_|NOTIFY_|LISTEN_|XDG_|TERM|MAKE)'`

// TestInheritsNothing starts this test binary again from a shell that sets everything that Main
// resets.
func TestInheritsNothing(t *testing.T) {
	if os.Getenv("AFRESH_TEST") != "" {
		out, _ := exec.Command("sh", "-c", state).Output() // grep fails if it finds no variable
		os.Stdout.Write(out)
		return
	}
	script := `trap '' HUP INT QUIT TSTP TTIN TTOU; umask 077; ulimit -Sn 64
		exec env --block-signal=TERM --block-signal=USR1 "$0" -test.run '^TestInheritsNothing$' 9</dev/null <"$0"`
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", script, self)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, "AFRESH_TEST=1", "CGINIT_STOP_GRACE_PERIOD=1s", "CGINIT_RUNS=2", "NOTIFY_SOCKET=/nowhere",
		"LISTEN_FDS=1", "LISTEN_PID=1", "XDG_RUNTIME_DIR=/nowhere", "XDG_CACHE_HOME=/kept", "TERM=xterm", "MAKEFLAGS=-j")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(got)
	want := []string{
		"/dev/null", "CGINIT_RUNS=2", "PASS", "SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000",
		"Umask:\t0022", "XDG_CACHE_HOME=/kept",
	}
	if !slices.Equal(got, want) {
		t.Errorf("inherited: %q, not %q", got, want)
	}
}

// TestKnobs checks that Main clears no variable that a test reads.
func TestKnobs(t *testing.T) {
	reads := regexp.MustCompile(`Getenv\("(CGINIT_[A-Z_]+)"\)`)
	err := filepath.WalkDir("../..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") && !strings.Contains(path, "/test/") || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := os.ReadFile(path)
		for _, found := range reads.FindAllStringSubmatch(string(text), -1) {
			if !slices.Contains(knobs, found[1]) {
				t.Errorf("%s reads %s, which is not in knobs of afresh.go", path, found[1])
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
