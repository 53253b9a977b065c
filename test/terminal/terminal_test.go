// Package terminal plays a person at an interactive shell, outside any container. Keys must do to a
// command under cginit whatever they do to it without cginit.
package terminal

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cginit/cginit/internal/afresh"
	"github.com/cginit/cginit/test/internal/engine"
	"github.com/cginit/cginit/test/internal/harness"
)

func TestMain(m *testing.M) { os.Exit(afresh.Main(m)) }

// shell starts an interactive bash in which $C is cginit.
func shell(t *testing.T, script ...string) *engine.User {
	t.Helper()
	argv := append([]string{"--norc", "--noprofile"}, script...)
	cmd := exec.Command(harness.Command(t, "bash"), argv...)
	cmd.Env = append(os.Environ(), "C="+harness.Bin(t, "cginit"), "PS1=prompt> ", "HOME="+t.TempDir(), harness.Trace(t, t.TempDir()))
	u := engine.Sit(t, cmd)
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return u
}

// number makes the command line of each sleep unique, so that it can be found by it.
var number = 40000 + os.Getpid()%10000*10

func sleep() string {
	number++
	return fmt.Sprintf("sleep %d", number)
}

// state returns the state of the process with that command line, 0 if there is none.
func state(command string) byte {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		data, _ := os.ReadFile(file)
		if strings.TrimRight(strings.ReplaceAll(string(data), "\x00", " "), " ") != command {
			continue
		}
		stat, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "stat"))
		if _, rest, ok := strings.Cut(string(stat), ") "); ok {
			return rest[0]
		}
	}
	return 0
}

func is(command string, want byte) func() bool {
	return func() bool { return state(command) == want }
}

func alive(u *engine.User) {
	number++
	word := fmt.Sprint("here", number)
	u.Insists("echo "+word[:2]+"''"+word[2:]+"\n", u.Saw(word))
}

func TestCtrlC(t *testing.T) {
	u, s := shell(t), sleep()
	u.Insists("$C -- "+s+"\n", is(s, 'S'))
	u.Insists("\x03", is(s, 0))
	alive(u)
}

func TestCtrlZ(t *testing.T) {
	u, s := shell(t), sleep()
	u.Insists("$C -- "+s+"\n", is(s, 'S'))
	u.Insists("\x1a", is(s, 'T'))
	u.Insists("jobs\n", u.Saw("Stopped"))
	u.Insists("bg\n", is(s, 'S'))
	alive(u)
	u.Types("fg\n")
	u.Insists("\x03", is(s, 0))
	alive(u)
}

// TestEndInBackground checks that a job that ends in the background takes nothing with it.
func TestEndInBackground(t *testing.T) {
	u := shell(t)
	s := sleep()
	u.Insists("$C -- sh -c '"+s+"; true'\n", is(s, 'S'))
	u.Insists("\x1a", is(s, 'T'))
	u.Insists("bg\n", is(s, 'S'))
	u.Insists("pkill -f '^"+s+"$'\n", is(s, 0))
	u.Insists("jobs; echo d''one\n", u.Saw("done"))
	alive(u)
}

// TestReadInBackground checks that a job in the background stops when it reads, and goes on in the
// foreground.
func TestReadInBackground(t *testing.T) {
	u := shell(t)
	u.Types("$C -- sh -c 'read x; echo \"got <$x>\"' &\n")
	u.Insists("jobs\n", u.Saw("Stopped"))
	alive(u)
	u.Types("fg\n")
	u.Insists("word\n", u.Saw("got <word>"))
	alive(u)
}

// TestCtrlCEndsLoop checks that Ctrl-C ends the loop around the command, and not the command alone.
func TestCtrlCEndsLoop(t *testing.T) {
	for name, script := range map[string]string{
		"interactive": "while :; do $C -- %s; done; echo not rea''ched\n",
		"script":      "sh -c 'while :; do $C -- %s; done; echo not rea\"\"ched'\n",
	} {
		t.Run(name, func(t *testing.T) {
			u, s := shell(t), sleep()
			u.Insists(fmt.Sprintf(script, s), is(s, 'S'))
			u.Types("\x03")
			u.Insists("\x03", func() bool { return state(s) == 0 && strings.HasSuffix(u.Sees.String(), "prompt> ") })
			alive(u)
			if state(s) != 0 {
				t.Error("the loop goes on")
			}
		})
	}
}

// TestCtrlZWithoutJobControl checks that Ctrl-Z stops nothing where no shell has job control, because
// nothing could continue it. It cannot see a process that is stopped between vfork and exec: its parent
// waits for it and cannot stop.
func TestCtrlZWithoutJobControl(t *testing.T) {
	u := shell(t, "-c", `$C -- sh -c 'trap "echo conti""nued" CONT; sleep 1000 & echo rea""dy; while :; do wait; done'; exec sleep 1000`)
	u.Insists("", u.Saw("ready"))
	u.Insists("\x1a", u.Saw("continued"))
}

// TestPipeline checks that the other end of a pipeline can read the terminal while the command runs.
func TestPipeline(t *testing.T) {
	u, s := shell(t), sleep()
	u.Types("$C -- sh -c 'echo fir''st; exec " + s + "' | sh -c 'read a; echo \"a <$a>\"; read b </dev/tty; echo \"b <$b>\"'\n")
	u.Insists("", u.Saw("a <first>"))
	u.Insists("line\n", u.Saw("b <line>"))
	u.Insists("\x03", is(s, 0))
	alive(u)
}

// TestScriptReadsAfterwards checks that a script that reads after the command still has the terminal.
func TestScriptReadsAfterwards(t *testing.T) {
	u := shell(t)
	u.Types("sh -c '$C -- true; read x; echo \"read <$x>\"'\n")
	u.Insists("answer\n", u.Saw("read <answer>"))
	u.Types("sh -c 'unshare --user --map-root-user --pid --fork --mount-proc $C -- true; read x; echo \"again <$x>\"'\n")
	u.Insists("answer\n", u.Saw("again <answer>"))
	alive(u)
}

// TestForeignSession checks that an interactive shell below process 1 of a new PID namespace has the
// terminal, although the terminal's session is outside of that namespace.
func TestForeignSession(t *testing.T) {
	harness.AsRoot(t)
	cmd := exec.Command(harness.Command(t, "unshare"), "--pid", "--fork", "--mount-proc", "--kill-child",
		harness.Bin(t, "cginit"), "--", harness.Command(t, "bash"), "--norc", "--noprofile", "-i")
	cmd.Env = append(os.Environ(), "PS1=prompt> ", "HOME="+t.TempDir(), harness.Trace(t, t.TempDir()))
	u := engine.Sit(t, cmd)
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	u.Insists("", u.Saw("prompt> "))
	s := sleep()
	u.Insists(s+"\n", is(s, 'S'))
	u.Insists("\x03", is(s, 0))
	alive(u)
	u.Types("exit 6\n")
	_ = cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); status != 6 {
		t.Errorf("it ended with %d; the terminal shows %q", status, u.Sees.String())
	}
}
