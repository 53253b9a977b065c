package supervisor

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/proc"
)

func TestHeeded(t *testing.T) {
	bit := uint64(1) << (syscall.SIGTERM - 1)
	for want, p := range map[string]proc.Process{
		"ignored SIGTERM":            {Ignored: bit},
		"blocked SIGTERM":            {Blocked: bit, Caught: bit},
		"caught SIGTERM and went on": {Caught: bit},
		"outlived SIGTERM":           {Ignored: bit << 1, Blocked: bit >> 1},
	} {
		if got := heeded(p, syscall.SIGTERM); got != want {
			t.Errorf("%+v: %q, want %q", p, got, want)
		}
	}
}

func TestDescribe(t *testing.T) {
	r := newRun(&config.Spec{})
	r.held = &fake{}
	r.book.ask(syscall.SIGTERM, 11)
	for _, c := range []struct {
		p    proc.Process
		want string
	}{
		{proc.Process{Pid: 11, PPid: 10, Session: 5, State: 'S'}, "outlived SIGTERM"},
		{proc.Process{Pid: 12, PPid: 10, Session: 12, State: 'S'}, "was not asked, own session"},
		{proc.Process{Pid: 12, PPid: os.Getpid(), Session: 12, State: 'S'}, "was not asked, daemonised"},
		{proc.Process{Pid: 12, PPid: os.Getpid(), Session: 5, State: 'T'}, "was not asked, stopped, orphaned"},
		{proc.Process{Pid: 12, PPid: 0, Session: 12, State: 'S'}, "was not asked, entered from outside"},
	} {
		c.p.Pid += 1 << 22 // above the largest pid, so that /proc has no such process
		if c.p.Pid == 11+1<<22 {
			r.book.ask(syscall.SIGTERM, c.p.Pid)
		}
		if got := strings.Join(r.describe(c.p).Reasons, ", "); got != c.want {
			t.Errorf("%+v: %q, want %q", c.p, got, c.want)
		}
	}
}
