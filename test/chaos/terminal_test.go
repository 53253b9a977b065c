package chaos

import (
	"testing"

	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

// In the commands that are typed, each text that the shell is to print is written in two parts. So the
// echo of the command is not mistaken for the output.

func shell(t *testing.T) *terminal {
	t.Helper()
	term := openTerminal(t, "bash", "--norc", "--noprofile", "-i")
	term.expect("prompt> ")
	return term
}

func TestTerminalInterrupt(t *testing.T) {
	term := shell(t)
	term.types(`$cginit -- sh -c 'trap "exit 5" INT; echo u""p; while :; do sleep 0.05; done'` + "\n")
	term.expect("up")
	term.types("\x03")
	term.expect("prompt> ")
	term.types("echo status=$?\n")
	term.expect("status=5")
	term.types("exit 7\n")
	term.ends(7)
}

func TestTerminalQuit(t *testing.T) {
	term := shell(t)
	term.types(`ulimit -c 0; $cginit -- sh -c 'echo u""p; exec sleep 1000'` + "\n")
	term.expect("up")
	term.types("\x1c")
	term.expect("prompt> ")
	term.types("echo status=$?\n")
	term.expect("status=131")
	term.types("exit 0\n")
	term.ends(0)
}

func TestTerminalSuspend(t *testing.T) {
	term := shell(t)
	term.types(`$cginit -- bash -c 'echo u""p; read x; echo got=$x; exit 6'` + "\n")
	term.expect("up")
	for range 3 {
		term.types("\x1a")
		term.expect("Stopped")
		term.expect("prompt> ")
		if got := term.foreground(); got != term.cmd.Process.Pid {
			t.Errorf("the terminal belongs to %d, not to the shell", got)
		}
		term.types("echo she''ll\n")
		term.expect("shell")
		term.types("fg\n")
		term.expect("$cginit")
		pod.Until(t, "the job has the terminal", func() bool { return term.foreground() != term.cmd.Process.Pid })
	}
	term.types("hello\n")
	term.expect("got=hello")
	term.expect("prompt> ")
	term.types("echo status=$?\n")
	term.expect("status=6")
	term.types("exit 0\n")
	term.ends(0)
}

func TestTerminalSize(t *testing.T) {
	term := shell(t)
	term.types(`$cginit -- bash -c 'trap "stty size" WINCH; echo u""p; while read -t 0.05 x || (($? > 128)); do :; done'` + "\n")
	term.expect("up")
	term.control(func(fd int) error {
		return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 33, Col: 111})
	})
	term.expect("33 111")
	term.types("\x04")
	term.expect("prompt> ")
	term.types("exit 0\n")
	term.ends(0)
}

// TestTerminalBackground checks that a job started in the background leaves the terminal to the shell,
// stops when it reads, and can then be brought to the foreground.
func TestTerminalBackground(t *testing.T) {
	term := shell(t)
	term.types(`$cginit -- bash -c 'echo u""p; read x; echo got=$x' &` + "\n")
	term.expect("up")
	for range 3 {
		term.types("echo she''ll\n")
		term.expect("shell")
		if got := term.foreground(); got != term.cmd.Process.Pid {
			t.Errorf("the terminal belongs to %d, not to the shell", got)
		}
	}
	term.types("until jobs | grep Stopped; do sleep 0.05; done\n")
	term.expect("Stopped")
	term.types("fg\n")
	pod.Until(t, "the job has the terminal", func() bool { return term.foreground() != term.cmd.Process.Pid })
	term.types("hello\n")
	term.expect("got=hello")
	term.types("exit 0\n")
	term.ends(0)
}

// TestTerminalGivenBack checks that a script, which has no job control, has the terminal again after
// cginit, however cginit ended, and can read from it.
func TestTerminalGivenBack(t *testing.T) {
	for name, command := range map[string]string{
		"exits":   `"$cginit" -- true`,
		"fails":   `"$cginit" -- no-such-command`,
		"stopped": `"$cginit" -- sh -c 'kill -TERM $PPID; sleep 1000'`,
		"timeout": `"$cginit" --timeout 100ms -- sleep 1000`,
	} {
		t.Run(name, func(t *testing.T) {
			term := openTerminal(t, "bash", "-c", command+`; echo "the script goes on"; read x; echo got=$x; exit 8`)
			term.expect("the script goes on")
			if got := term.foreground(); got != term.cmd.Process.Pid {
				t.Errorf("the terminal belongs to %d, not to the script", got)
			}
			term.types("hello\n")
			term.expect("got=hello")
			term.ends(8)
		})
	}
}

// TestTerminalHangup checks that every process on a terminal ends when the terminal goes away.
func TestTerminalHangup(t *testing.T) {
	term := shell(t)
	term.types(`$cginit -- sh -c 'echo u""p; exec sleep 1000'` + "\n")
	term.expect("up")
	term.master.Close()
	// SIGHUP ends the shell, during this call or before it. The terminal itself checks that nothing is
	// left.
	_ = term.cmd.Wait()
}
