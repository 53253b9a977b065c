package supervisor

import (
	"errors"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/hold"
	"github.com/cginit/cginit/init/life"
	"github.com/cginit/cginit/init/proc"
	"golang.org/x/sys/unix"
)

// fakeLevel is a level that only tests have.
const fakeLevel hold.Level = "fake"

// fake is a containment without processes. It shows all that a new containment needs: the
// supervisor uses nothing but the interface.
type fake struct {
	post     func(func())
	listener hold.Listener
	calls    *[]string

	// later makes the start pending, and fails makes it fail. helper makes an exec helper start the
	// command; the exec fails when the run is asked to stop.
	later, helper bool
	fails         error
	// deaf processes end only by SIGKILL, immortal ones never.
	deaf, immortal bool

	alive, frozen bool
}

func (f *fake) call(name string) { *f.calls = append(*f.calls, name) }

// tell posts a message to the loop, as the goroutines of real containments do.
func (f *fake) tell(message func()) { go f.post(message) }

func (f *fake) end(ws syscall.WaitStatus) {
	if f.alive && !f.immortal {
		f.alive = false
		f.tell(func() { f.listener.MainEnded(ws) })
	}
}

func (f *fake) Level() hold.Level { return fakeLevel }

func (f *fake) Start(o *hold.Order) (hold.Progress, error) {
	f.call("start " + o.Args[0])
	f.alive = f.fails == nil
	begin := func() {
		if len(o.Args) > 1 { // a program that ends by itself
			f.end(syscall.WaitStatus(3 << 8))
		}
	}
	switch {
	case f.later:
		f.tell(func() {
			f.listener.Started(hold.Executed, f.fails)
			begin()
		})
		return hold.Pending, nil
	case f.fails != nil:
		return 0, f.fails
	case f.helper:
		return hold.Forked, nil
	}
	f.tell(begin)
	return hold.Executed, nil
}

func (f *fake) Abandon() error { return nil }

func (f *fake) Main() hold.Main { return hold.Main{Pid: 10, Session: 5} }

func (f *fake) SetMain(int) error { return errors.ErrUnsupported }

func (f *fake) Adopter() int { return os.Getpid() }

func (f *fake) Owns(int) (owns, known bool) { return true, true }

func (f *fake) Procs() ([]int, error) { return nil, nil }

func (f *fake) SignalMain(sig syscall.Signal, _ bool) error {
	f.call(unix.SignalName(sig))
	if f.helper && sig == unix.SIGTERM {
		f.tell(func() {
			f.alive = false
			f.listener.MainEnded(syscall.WaitStatus(127 << 8))
			f.listener.ExecEnded(errors.New("no"))
		})
		return nil
	}
	if sig == unix.SIGTERM && !f.deaf {
		f.end(syscall.WaitStatus(sig))
	}
	return nil
}

func (f *fake) Signal(sig syscall.Signal) error {
	f.call("all " + unix.SignalName(sig))
	return nil
}

func (f *fake) Freeze() error {
	f.call("freeze")
	f.frozen = true
	f.tell(f.listener.Changed)
	return nil
}

func (f *fake) Thaw() error { return nil }

func (f *fake) Frozen() bool { return f.frozen }

func (f *fake) HasStopped(p proc.Process) bool { return p.IsStopped() }

func (f *fake) Kill() error {
	f.call("kill")
	f.end(syscall.WaitStatus(unix.SIGKILL))
	return nil
}

func (f *fake) Empty() bool { return !f.alive }

func (f *fake) Unreaped() (*syscall.WaitStatus, bool) { return nil, false }

func (f *fake) Usage() hold.Usage {
	used := 7 * time.Millisecond
	return hold.Usage{CPU: &used}
}

func (f *fake) Remove() error {
	f.call("remove")
	return nil
}

// TestFakeContainment runs jobs from their start to their receipt in a containment that only this
// file knows: no code outside of package hold depends on which containments there are.
func TestFakeContainment(t *testing.T) {
	short := config.Spec{Timeout: time.Millisecond, GracePeriod: 10 * time.Millisecond}
	for name, c := range map[string]struct {
		fake   fake
		spec   config.Spec
		args   []string
		status int
		cause  life.Cause
		calls  []string
	}{
		"it ends by itself": {fake{}, config.Spec{}, []string{"/bin/sh", "x"}, 3, life.Exited, []string{"start /bin/sh", "remove"}},
		"it is started by somebody else": {
			fake{later: true}, config.Spec{}, []string{"/bin/sh", "x"}, 3, life.Exited, []string{"start /bin/sh", "remove"},
		},
		"it cannot be started": {fake{fails: errors.New("no")}, config.Spec{}, []string{"/bin/sh"}, 125, life.StartFailed, []string{"start /bin/sh", "remove"}},
		"somebody else cannot start it": {
			fake{later: true, fails: errors.New("no")}, config.Spec{}, []string{"/bin/sh"}, 125, life.StartFailed, []string{"start /bin/sh", "remove"},
		},
		"it leaves when asked": {
			fake{}, short, []string{"/bin/sh"}, 124, life.TimedOut, []string{"start /bin/sh", "SIGTERM", "SIGCONT", "remove"},
		},
		"it cannot be executed, and is stopped before that is known": {
			fake{helper: true}, short, []string{"/bin/sh"}, 124, life.TimedOut, []string{"start /bin/sh", "SIGTERM", "SIGCONT", "remove"},
		},
		"it has to be killed": {
			fake{deaf: true}, short, []string{"/bin/sh"}, 124, life.TimedOut, []string{"start /bin/sh", "SIGTERM", "SIGCONT", "freeze", "kill", "remove"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			spec := c.spec
			spec.Name, spec.Args = "web", c.args
			spec.KillMode, spec.Leftovers = config.Mixed, config.LeftoversStop
			s := New(Config{Name: "test", LogFormat: "text", Quiet: true, File: &config.File{Jobs: []*config.Spec{&spec}}})
			f, calls := c.fake, []string{}
			f.calls = &calls
			s.open = func(o hold.Options) (*hold.Home, error) {
				o.Contain = func(p hold.Place) (hold.Containment, error) {
					f.post, f.listener = o.Post, p.Listener
					return &f, nil
				}
				return hold.Open(o)
			}
			if status, _ := s.Run(); status != c.status {
				t.Errorf("status %d, want %d", status, c.status)
			}
			r := s.jobs.named["web"].last
			if r.Cause != c.cause || r.Containment != string(fakeLevel) || r.CPU == nil || *r.CPU != 7 {
				t.Errorf("receipt %+v", r)
			}
			if !slices.Equal(slices.Compact(calls), c.calls) {
				t.Errorf("calls %q, want %q", calls, c.calls)
			}
		})
	}
}
