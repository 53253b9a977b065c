package seal

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// sealed is set in a process of this test that seals itself and executes the shell.
const sealed = "SEAL_SCRIPT"

func TestMain(m *testing.M) {
	script := os.Getenv(sealed)
	if script == "" {
		os.Exit(m.Run())
	}
	runtime.LockOSThread()
	if err := Apply(true); err != nil {
		panic(err)
	}
	panic(unix.Exec("/bin/sh", []string{"sh", "-c", script}, []string{"PATH=" + os.Getenv("PATH")}))
}

// run runs a script in a sealed shell and returns what it says.
func run(t *testing.T, script string) string {
	t.Helper()
	if _, err := Version(); err != nil {
		t.Skipf("SKIPPED for want of Landlock: %v", err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), sealed+"="+script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// TestFiles checks that usual files can be written, made, truncated and removed, but not those of cgroups.
func TestFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	got := run(t, `echo a >`+file+` && echo b >>`+file+` && cat `+file+`; : >`+file+`; rm `+file+` && echo gone
		echo x >/dev/null && echo device; cat /proc/self/oom_score_adj >/proc/self/oom_score_adj && echo proc
		for f in $(find $(sed -n 's/^[^ ]* [^ ]* [^ ]* [^ ]* \([^ ]*\) .* - cgroup.*/\1/p' /proc/self/mountinfo) -maxdepth 1 -type f -perm -200 2>/dev/null); do
			(: >>$f) 2>/dev/null && echo "writable: $f"
		done; true`)
	if want := "a\nb\ngone\ndevice\nproc"; got != want {
		t.Errorf("it said %q", got)
	}
}

// TestSignals checks that a sealed process signals its own children, and not this one.
func TestSignals(t *testing.T) {
	if !HoldsSignals() {
		t.Skip("SKIPPED for want of Linux 6.12")
	}
	if got := run(t, `sleep 100 & kill $! && echo child; kill -0 $PPID 2>/dev/null && echo parent; true`); got != "child" {
		t.Errorf("it said %q", got)
	}
}

// TestNested checks that a sealed process can seal itself again, and be tighter.
func TestNested(t *testing.T) {
	if got := run(t, sealed+`='echo twice; sleep 100 & kill $! && echo child' `+os.Args[0]); got != "twice\nchild" {
		t.Errorf("it said %q", got)
	}
}

// TestLook checks which paths get a rule.
func TestLook(t *testing.T) {
	w := writable{closed: []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/mnt/a b"}}
	for path, want := range map[string][2]bool{
		"/sys": {false, true}, "/sys/fs": {false, true}, "/sys/fs/cgroup": {true, true}, "/sys/fs/cgroup2": {false, false},
		"/mnt": {false, true}, "/mnt/a b": {true, false}, "/mnt/a": {false, false}, "/s": {false, false},
	} {
		if isClosed, leads := w.leads(path); isClosed != want[0] || leads != want[1] {
			t.Errorf("%s: closed %v, leads to a closed one %v", path, isClosed, leads)
		}
	}
	if got := unescape(`/mnt/a\040b\134`); got != `/mnt/a b\` {
		t.Errorf("unescaped is %q", got)
	}
}

// TestOtherMounts checks that a second mount of a directory that leads to the cgroups opens none of them.
func TestOtherMounts(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("SKIPPED for want of root")
	}
	if _, err := Version(); err != nil {
		t.Skipf("SKIPPED for want of Landlock: %v", err)
	}
	for _, mount := range []string{"mount --bind / /mnt", "mount --bind /sys /mnt", "mount -t sysfs sysfs /mnt", "mount --rbind /sys/fs/cgroup /mnt"} {
		cmd := exec.Command("unshare", "-m", "sh", "-c", mount+` && exec "$0"`, os.Args[0])
		cmd.Env = append(os.Environ(), sealed+`=for f in $(find /sys/fs/cgroup /mnt -maxdepth 4 -name 'cgroup.procs' 2>/dev/null | head -20); do
			echo looked; (: >>$f) 2>/dev/null && echo "writable: $f"; done; true`)
		out, err := cmd.CombinedOutput()
		if err != nil || strings.Contains(string(out), "writable") || !strings.Contains(string(out), "looked") {
			t.Errorf("%s: %v: %s", mount, err, out)
		}
	}
}

// TestClone3 checks that a sealed process has no clone3.
func TestClone3(t *testing.T) {
	if got := run(t, `grep Seccomp: /proc/self/status`); got != "Seccomp:\t2" {
		t.Errorf("it said %q", got)
	}
}
