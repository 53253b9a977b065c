// Package emulated runs cginit for other platforms under qemu-user, as an image of one of them runs on a machine
// of another.
package emulated

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { os.Exit(pod.Main(m)) }

// platform is one that is emulated.
type platform struct {
	name     string // as Go has it
	emulator string
	header   []byte // of its programs: class and byte order, and the machine (ELF's e_ident and e_machine)
}

var platforms = []platform{
	{"arm64", "qemu-aarch64-static", []byte{2, 1, 183, 0}},
	{"arm", "qemu-arm-static", []byte{1, 1, 40, 0}},
	{"s390x", "qemu-s390x-static", []byte{2, 2, 0, 22}},
}

// register has the kernel start programs of the platform by the emulator until the test ends. With flag P it keeps
// argv[0].
func (p platform) register(t *testing.T, flags string) {
	t.Helper()
	header := make([]byte, 20)
	mask := []byte{255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255}
	copy(header, "\x7fELF")
	header[4], header[5], header[6] = p.header[0], p.header[1], 1
	copy(header[18:], p.header[2:])
	low := 16
	if p.header[1] == 2 { // big-endian
		low = 17
	}
	header[low], mask[low] = 2, 254 // ET_EXEC or ET_DYN
	escape := func(b []byte) (text string) {
		for _, c := range b {
			text += fmt.Sprintf(`\x%02x`, c)
		}
		return text
	}
	dir := t.TempDir()
	if err := unix.Mount("binfmt_misc", dir, "binfmt_misc", 0, ""); err != nil {
		harness.Missing(t, "binfmt_misc")
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	name := fmt.Sprintf("cginit-test-%d-%s", os.Getpid(), p.name)
	line := ":" + name + ":M::" + escape(header) + ":" + escape(mask) + ":" + harness.Command(t, p.emulator) + ":" + flags
	if err := os.WriteFile(dir+"/register", []byte(line), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.WriteFile(dir+"/"+name, []byte("-1"), 0); err != nil {
			t.Errorf("cannot unregister the emulator: %v", err)
		}
	})
}

// place is where cginit runs.
type place struct {
	platform
	spec pod.Spec
}

// each runs a test for each platform, with and without argv[0] as the program was called.
func each(t *testing.T, mode pod.Mode, test func(t *testing.T, p place)) {
	t.Helper()
	harness.AsRoot(t)
	for _, p := range platforms {
		for name, flags := range map[string]string{"argv kept": "PF", "argv replaced": "F"} {
			t.Run(p.name+"/"+name, func(t *testing.T) {
				p.register(t, flags)
				test(t, place{p, pod.Spec{Mode: mode, Program: harness.BinFor(t, p.name, "cginit")}})
			})
		}
	}
}

// modes are process 1 with a cgroup and without one, and the levels there of one command and of one among several.
var modes = map[pod.Mode]struct{ one, several string }{
	pod.Process1: {"cgroup", "cgroup"}, pod.NoCgroup: {"pidns", "marked"},
}

// TestStory stops a command that leaves four processes behind, the same that "make demo" does.
func TestStory(t *testing.T) {
	for mode, levels := range modes {
		t.Run(string(mode), func(t *testing.T) {
			each(t, mode, func(t *testing.T, p place) {
				p.spec.Args = []string{
					"--stop-grace-period", "500ms", "--", "sh", "-c", `sh "$0" /dev/stdout`, harness.Root() + "/examples/demo/leaky.sh",
				}
				run := pod.Start(t, p.spec)
				run.Line("ready")
				pod.Until(t, "all processes are there", func() bool { return len(run.Tree("sleep")) >= 4 })
				run.Signal(syscall.SIGTERM)
				r := run.Wait()
				receipt, err := r.Receipt()
				if err := r.Clean(); err != nil {
					t.Error(err)
				}
				if err != nil || r.Code != 143 || receipt.Killed != 3 || receipt.Unkillable != 0 || receipt.Containment != levels.one {
					t.Errorf("status %d, %v, receipt %+v; stderr: %s", r.Code, err, receipt, run.Stderr())
				}
			})
		})
	}
}

// services are two services. One leaves daemons that ignore SIGTERM.
const services = `
services:
  deaf:
    command: ["%s", "%s", "5"]
    stop_grace_period: 300ms
  good:
    command: [sh, -c, "echo up; exec sleep 1000"]
`

// TestServices stops a file with two services.
func TestServices(t *testing.T) {
	for mode, levels := range modes {
		t.Run(string(mode), func(t *testing.T) {
			for kind, killed := range map[string]int{"daemon": 0, "deaf": 6} {
				t.Run(kind, func(t *testing.T) {
					each(t, mode, func(t *testing.T, p place) {
						p.spec.Args = []string{"--config", config(t, fmt.Sprintf(services, harness.BinFor(t, p.name, "trees"), kind))}
						run := pod.Start(t, p.spec)
						for lines := map[string]bool{}; !lines["ready"] || !lines["up"]; {
							lines[run.Line("")] = true
						}
						run.Signal(syscall.SIGTERM)
						r := run.Wait()
						if err := r.Clean(); err != nil {
							t.Error(err)
						}
						receipts := run.Receipts()
						if r.Code != 0 || len(receipts) != 2 {
							t.Fatalf("status %d, receipts %+v; stderr: %s", r.Code, receipts, run.Stderr())
						}
						for _, receipt := range receipts {
							want := 0
							if receipt.Job == "deaf" {
								want = killed
							}
							if receipt.Containment != levels.several || receipt.Killed != want || receipt.Unkillable != 0 {
								t.Errorf("%+v; stderr: %s", receipt, run.Stderr())
							}
						}
					})
				})
			}
		})
	}
}

// helped is a job that the exec helper starts, as another user and with less than that could have.
const helped = `
jobs:
  job:
    command: [%s, -c, "id -u; ulimit -n; grep NoNewPrivs /proc/self/status; exit 5"]
    user: "12:34"
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    ulimits: {nofile: 100}
`

// TestHelper starts jobs through the exec helper, one of them in vain.
func TestHelper(t *testing.T) {
	for mode := range modes {
		t.Run(string(mode), func(t *testing.T) {
			each(t, mode, func(t *testing.T, p place) {
				for shell, want := range map[string]struct {
					code  int
					lines string
				}{"sh": {5, "12 100 NoNewPrivs:\t1"}, "/nothing": {127, ""}} {
					p.spec.Args = []string{"--config", config(t, fmt.Sprintf(helped, shell))}
					run := pod.Start(t, p.spec)
					var lines []string
					for line, ok := run.Says(""); ok; line, ok = run.Says("") {
						lines = append(lines, line)
					}
					r := run.Wait()
					if err := r.Clean(); err != nil {
						t.Error(err)
					}
					receipt, err := r.Receipt()
					got := strings.Join(lines, " ")
					if err != nil || got != want.lines || r.Code != want.code || receipt.ExitStatus != want.code {
						t.Errorf("%s: %q, status %d, %v, receipt %+v; stderr: %s", shell, got, r.Code, err, receipt, run.Stderr())
					}
				}
			})
		})
	}
}

// config writes a file for cginit.
func config(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(pod.OpenDir(t), "cginit.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestTini calls cginit tini.
func TestTini(t *testing.T) {
	each(t, pod.NoCgroup, func(t *testing.T, p place) {
		tini := filepath.Join(pod.OpenDir(t), "tini")
		if err := os.Symlink(p.spec.Program, tini); err != nil {
			t.Fatal(err)
		}
		for status, args := range map[int][]string{
			7: {"sh", "-c", "exit 7"}, 143: {"-v", "--", "sh", "-c", "kill -TERM $$"}, 127: {"/nothing"}, 0: {"-e", "3", "--", "sh", "-c", "exit 3"},
		} {
			// The harness adds cginit and its flags, which this shell does not look at.
			p.spec.Wrap, p.spec.Untraced = []string{"sh", "-c", "exec " + tini + " '" + strings.Join(args, "' '") + "'", "sh"}, true
			run := pod.Start(t, p.spec)
			if r := run.Wait(); r.Code != status {
				t.Errorf("%v: status %d; stderr: %s", args, r.Code, run.Stderr())
			}
		}
	})
}
