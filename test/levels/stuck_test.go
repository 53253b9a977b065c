package levels

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

// TestStuckStart checks that an exec that waits, here for the holder of a lease on the file, does not
// delay the end of its job or anything else. If the exec went on, the receipt would have the status of
// a main process.
func TestStuckStart(t *testing.T) {
	for name, end := range map[string]func(a *attack) error{
		"stop": func(a *attack) error {
			_, err := a.Stop(t.Context(), control.StopParams{Jobs: []string{"bad"}})
			return err
		},
		"kill": func(a *attack) error {
			_, err := a.Kill(t.Context(), control.KillParams{Jobs: []string{"bad"}})
			return err
		},
	} {
		for own, keys := range map[string]string{"": "", ", own uid": "    user: auto\n"} {
			t.Run(name+own, func(t *testing.T) {
				program := filepath.Join(pod.OpenDir(t), "program")
				if out, err := exec.Command("cp", harness.Command(t, "busybox"), program).CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				f, err := os.Open(program)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				lease := func(command, arg int) int {
					got, err := unix.FcntlInt(f.Fd(), command, arg)
					if err != nil {
						t.Fatal(err)
					}
					return got
				}
				lease(unix.F_SETLEASE, unix.F_WRLCK)
				a := startIn(t, pod.Spec{Mode: pod.NoCgroup}, []string{program, "sleep", "1000"}, keys)
				pod.Until(t, "the exec waits for the lease", func() bool { return lease(unix.F_GETLEASE, 0) != unix.F_WRLCK })
				if err := end(a); err != nil {
					t.Fatal(err)
				}
				if r := a.ended(t); r.Code != nil || r.Signal != "" || r.Killed != 1 {
					t.Errorf("the program was started: %+v", r)
				}
			})
		}
	}
}
