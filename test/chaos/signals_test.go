package chaos

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

// TestEverySignal sends every signal except those that end cginit and those that Go cannot catch.
func TestEverySignal(t *testing.T) {
	const last = 64
	lethal := []syscall.Signal{unix.SIGKILL, unix.SIGSTOP, unix.SIGTERM, unix.SIGINT, 32, 33, 34}
	kept := []syscall.Signal{unix.SIGCHLD, unix.SIGPIPE, unix.SIGTTIN, unix.SIGTTOU, unix.SIGURG, unix.SIGPROF}
	var script strings.Builder
	var sigs []syscall.Signal
	for sig := syscall.Signal(1); sig <= last; sig++ {
		if slices.Contains(lethal, sig) {
			continue
		}
		sigs = append(sigs, sig)
		if sig != unix.SIGCHLD { // the shell gets SIGCHLD from its own children
			fmt.Fprintf(&script, "trap 'echo got %d' %d\n", sig, sig)
		}
	}
	script.WriteString("sleep 1000 &\necho ready\nwhile :; do wait; done")
	inModes(t, func(t *testing.T, mode pod.Mode) {
		p := pod.Start(t, pod.Spec{Mode: mode, Args: []string{"--", "sh", "-c", script.String()}})
		p.Line("ready")
		for _, sig := range sigs {
			if mode == pod.Subreaper && (sig == unix.SIGTTIN || sig == unix.SIGTTOU) {
				continue // they stop a process that is not process 1
			}
			p.Signal(sig)
			want := sig
			if slices.Contains(kept, sig) {
				want = unix.SIGUSR1 // cginit must not have passed sig on before it
				p.Signal(want)
			}
			if got := p.Line(""); got != fmt.Sprintf("got %d", want) {
				t.Errorf("after signal %d the command says %q", sig, got)
			}
		}
		p.Signal(syscall.SIGTERM)
		ends(t, p, 128+15)
	})
}
