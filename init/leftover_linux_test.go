package supervisor

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	const rest = " S 7 12 13 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4200 2 3 4 5 6 7 8 9 10 1 2 3 4"
	p, err := parseStat([]byte("42 (a) b (c)" + rest))
	want := process{pid: 42, ppid: 7, group: 12, session: 13, state: 'S', threads: 1, start: 42 * time.Second, comm: "a) b (c", blocked: 1, ignored: 2, caught: 3}
	if err != nil || p != want {
		t.Errorf("got %+v, %v; want %+v", p, err, want)
	}
	if p, err := parseStat([]byte("42 (a)" + strings.Replace(rest, "4194560", "4194564", 1))); err != nil || !p.exiting {
		t.Errorf("one that exits: %+v, %v", p, err)
	}
	for _, bad := range []string{"", "42", "42 (a", "(a) S", "x (a)" + rest, "42 (a) S 7 12"} {
		if p, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("%q gave %+v", bad, p)
		}
	}
}

func TestIsDead(t *testing.T) {
	for want, all := range map[bool][]process{
		true:  {{state: 'X'}, {state: 'Z'}, {state: 'Z', threads: 1}},
		false: {{state: 'S'}, {state: 'D'}, {state: 'Z', threads: 2}},
	} {
		for _, p := range all {
			if p.isDead() != want {
				t.Errorf("state %c with %d threads: dead %v", p.state, p.threads, !want)
			}
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("42 (a) S 7 12 13 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4200 2 3 4 5 6 7 8 9 10 1 2 3 4"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := parseStat(data); err == nil && p.state == 0 {
			t.Errorf("%q: no state", data)
		}
	})
}

func TestReadProcess(t *testing.T) {
	p, err := readProcess(os.Getpid())
	if err != nil || p.pid != os.Getpid() || p.ppid != os.Getppid() {
		t.Fatalf("we are %+v, %v", p, err)
	}
	if age := sinceBoot() - p.start; age < 0 || age > time.Hour {
		t.Errorf("our age is %v", age)
	}
	if got := living([]int{p.pid, 1 << 22}); len(got) != 1 {
		t.Errorf("living gave %v", got)
	}
}

// TestAlive: where whoever is listed leaves us no CPU for it, the list is short and says so.
func TestAlive(t *testing.T) {
	late := time.Now().Add(-time.Hour)
	us := []int{os.Getpid(), 1 << 22}
	for _, c := range []struct {
		frozen bool
		begun  time.Time
		there  int
		err    error
	}{{false, time.Now(), 1, nil}, {false, late, 0, errSlow}, {true, late, 1, nil}} {
		if there, err := alive(us, c.frozen, c.begun); len(there) != c.there || err != c.err {
			t.Errorf("%+v: %v, %v", c, there, err)
		}
	}
}

func TestHeeded(t *testing.T) {
	bit := uint64(1) << (syscall.SIGTERM - 1)
	for want, p := range map[string]process{
		"ignored SIGTERM":            {ignored: bit},
		"blocked SIGTERM":            {blocked: bit, caught: bit},
		"caught SIGTERM and went on": {caught: bit},
		"outlived SIGTERM":           {ignored: bit << 1, blocked: bit >> 1},
	} {
		if got := heeded(p, syscall.SIGTERM); got != want {
			t.Errorf("%+v: %q, want %q", p, got, want)
		}
	}
}

func TestDescribe(t *testing.T) {
	r := &run{level: LevelCgroup, main: process{pid: 10, session: 5}}
	r.book.ask(syscall.SIGTERM, 11)
	for _, c := range []struct {
		p    process
		want string
	}{
		{process{pid: 11, ppid: 10, session: 5, state: 'S'}, "outlived SIGTERM"},
		{process{pid: 12, ppid: 10, session: 12, state: 'S'}, "was not asked, own session"},
		{process{pid: 12, ppid: os.Getpid(), session: 12, state: 'S'}, "was not asked, daemonised"},
		{process{pid: 12, ppid: os.Getpid(), session: 5, state: 'T'}, "was not asked, stopped, orphaned"},
		{process{pid: 12, ppid: 0, session: 12, state: 'S'}, "was not asked, entered from outside"},
	} {
		c.p.pid += 1 << 22 // none that /proc knows
		if c.p.pid == 11+1<<22 {
			r.book.ask(syscall.SIGTERM, c.p.pid)
		}
		if got := strings.Join(r.describe(c.p).Reasons, ", "); got != c.want {
			t.Errorf("%+v: %q, want %q", c.p, got, c.want)
		}
	}
}
