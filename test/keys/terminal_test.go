package keys

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/cginit/cginit/test/internal/engine"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// onTerminal is a script that prints what a process can know about its terminal: whether its three
// descriptors are the terminal, whether it leads the session and the foreground group, and whether it
// may open the terminal by name.
const onTerminal = `
	[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo descriptors
	exec 3<>/dev/tty && echo by its name >&3
	exec 4>/dev/stdout && echo reopened >&4
	read pid name state parent group session number front rest </proc/$$/stat
	[ $number != 0 ] && [ $session = $pid ] && [ $group = $pid ] && [ $front = $pid ] && echo leads
	printf end`

func terminal(t *testing.T) {
	lines := "descriptors\nby its name\nreopened\nleads\nend"
	for _, mode := range pod.Modes {
		t.Run(string(mode), func(t *testing.T) {
			w := startIn(t, mode, one("jobs", onTerminal, "tty: true"))
			is(t, w.rest(), lines+"\n")
			w.ends(0)
		})
	}
	is(t, says(t, "tty: true\nuser: '1234'\nlogging: {driver: prefix}", onTerminal),
		"main | "+strings.ReplaceAll(lines, "\n", "\nmain | ")+"\n")
	is(t, says(t, "tty: true\nlogging: {driver: none}", onTerminal), "")
	t.Run("all of it", func(t *testing.T) {
		if n := len(says(t, "tty: true", "yes 123456 | head -n 100000")); n != 100000*len("123456\n") {
			t.Errorf("%d bytes arrived", n)
		}
	})
	// When no process of the job holds the terminal any more, no process may get a hang-up.
	t.Run("left alone", func(t *testing.T) {
		w := start(t, one("services", `echo up; exec >{dir}/out 2>&1 </dev/null; trap "echo hung up" HUP; echo on; trap exit TERM; while :; do sleep 1000 & wait; done`, "tty: true"))
		w.Line("up")
		pod.Until(t, "it goes on", func() bool { return w.file("out") != "" })
		w.stop()
		is(t, w.file("out"), "on\n")
	})
	t.Run("again", func(t *testing.T) {
		w := start(t, one("services", "tty; exit 1", "tty: true\ndeploy: {restart_policy: {delay: 1ms}}"))
		for range 5 {
			w.Line("/dev/")
		}
		w.stop()
	})
	t.Run("seat", seat)
}

// seat checks stdin_open at cginit's own terminal. What a person types there reaches the job, including
// Ctrl-C, and so does the size.
func seat(t *testing.T) {
	dir := pod.OpenDir(t)
	text := one("services", `cut -d " " -f 4 /proc/$$/stat >{dir}/pid; stty size; trap "echo inter''rupted" INT; trap "stty size" WINCH
		while :; do read line && echo "<$line>"; done`, "tty: true\nstdin_open: true")
	cmd := exec.Command(harness.Command(t, "sh"), "-c", `"$0" "$@"; echo "status $?"; stty -a`,
		harness.Bin(t, "cginit"), "--config", write(t, dir, text), "--socket", "none", "--report", dir+"/receipts")
	u := engine.Sit(t, cmd)
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
	})
	u.Insists("one\r", u.Saw("<one>"))
	u.Insists("\x03", u.Saw("interrupted"))
	u.Resizes(33, 77)
	u.Sees.Until(t, "33 77")
	u.Insists("two\r", u.Saw("<two>"))
	pid, err := strconv.Atoi(strings.TrimSpace(file(dir, "pid")))
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGTERM)
	}
	if err != nil {
		t.Fatal(err)
	}
	u.Sees.Until(t, "status 0")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	pod.Until(t, "the terminal is as it was", func() bool {
		_, after, _ := strings.Cut(u.Sees.String(), "status 0")
		return strings.Contains(after, " icanon") && strings.Contains(after, " echo ") && strings.Contains(after, "isig ")
	})
}

// input checks that a job reads nothing without the key stdin_open, and cginit's input with it.
func input(t *testing.T) {
	is(t, says(t, "", "cat; readlink /proc/$$/fd/0"), "/dev/null\n")
	for keys, want := range map[string]string{
		"stdin_open: true": "one\ntwo", "stdin_open: true\nlogging: {driver: prefix}": "main | one\nmain | two\n",
		// The terminal echoes what is typed, and returns a last line without a newline when the input
		// ends.
		"stdin_open: true\ntty: true": "one\r\ntwoone\r\ntwo",
	} {
		dir := pod.OpenDir(t)
		cmd := exec.Command(harness.Bin(t, "cginit"), "--config", write(t, dir, one("jobs", "cat", keys)), "--socket", "none")
		box := pod.Enclose(t, cmd)
		cmd.Stdin, cmd.Stderr = strings.NewReader("one\ntwo"), os.Stderr
		out, err := cmd.Output()
		if err != nil || string(out) != want {
			t.Errorf("with %q: %v, %q, not %q", keys, err, out, want)
		}
		if err := box.Clean(); err != nil {
			t.Error(err)
		}
	}
}
