package chaos

import (
	"syscall"
	"testing"
	"time"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// TestOrphans makes orphans as fast as one process can: cginit must reap them all, and hear a
// signal meanwhile.
func TestOrphans(t *testing.T) {
	inModes(t, func(t *testing.T, mode pod.Mode) {
		p := pod.Start(t, pod.Spec{Mode: mode, Args: []string{"--", "sh", "-c", `
			trap 'echo forwarded' USR1
			"$0" orphans 20000 --exit 0 &
			until wait $!; do :; done
			cat`, harness.Bin(t, "trees")}})
		p.Line("half")
		p.Signal(syscall.SIGUSR1)
		if next := p.Line(""); next != "forwarded" {
			t.Errorf("%q came before the forwarded signal", next)
		}
		p.Line("ready") // the last orphan has been born
		end := time.Now().Add(100 * time.Millisecond)
		zombies := 1
		for zombies > 0 && time.Now().Before(end) {
			zombies = p.Zombies()
		}
		if zombies > 0 {
			t.Errorf("%d zombies 100 ms after the last orphan", zombies)
		}
		p.EndInput()
		ends(t, p, 0)
	})
}

// TestBomb ends a fork bomb that nothing slows down.
func TestBomb(t *testing.T) {
	inModes(t, func(t *testing.T, mode pod.Mode) {
		args := trees(t, "bomb", "32")
		p := pod.Start(t, pod.Spec{Mode: mode, Args: append([]string{"--stop-grace-period", "200ms"}, args...)})
		p.Line("ready")
		p.Signal(syscall.SIGTERM)
		ends(t, p, 128+15)
	})
}
