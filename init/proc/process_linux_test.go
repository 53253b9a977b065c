package proc

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestIsDead(t *testing.T) {
	for want, all := range map[bool][]Process{
		true:  {{State: 'X'}, {State: 'Z'}, {State: 'Z', Threads: 1}},
		false: {{State: 'S'}, {State: 'D'}, {State: 'Z', Threads: 2}},
	} {
		for _, p := range all {
			if p.IsDead() != want {
				t.Errorf("state %c with %d threads: dead %v", p.State, p.Threads, !want)
			}
		}
	}
}

func TestReadProcess(t *testing.T) {
	p, err := Read(os.Getpid())
	if err != nil || p.Pid != os.Getpid() || p.PPid != os.Getppid() {
		t.Fatalf("this process is %+v, %v", p, err)
	}
	if age := p.Age(); age <= 0 || age > time.Hour {
		t.Errorf("the age of this process is %v", age)
	}
	if line := p.CommandLine(); !strings.HasPrefix(line, os.Args[0][:min(len(os.Args[0]), 200)]) {
		t.Errorf("the command line of this process is %q", line)
	}
	if p, err := Read(1 << 22); err == nil {
		t.Errorf("a pid that no process can have gave %+v", p)
	}
	if got := Living([]int{p.Pid, 1 << 22}); len(got) != 1 || got[0].Pid != p.Pid {
		t.Errorf("living are %v", got)
	}
}

func TestCommandLineOfNobody(t *testing.T) {
	if line := (Process{Pid: 1 << 22, Comm: "a name"}).CommandLine(); line != "a name" {
		t.Errorf("the command line is %q", line)
	}
}

// TestAlive: a list of running processes that takes too long is short, and an error says so.
func TestAlive(t *testing.T) {
	late := time.Now().Add(-time.Hour)
	pids := []int{os.Getpid(), 1 << 22}
	for _, c := range []struct {
		frozen bool
		begun  time.Time
		alive  int
		err    error
	}{{false, time.Now(), 1, nil}, {false, late, 0, errSlow}, {true, late, 1, nil}} {
		if alive, err := Alive(pids, c.frozen, c.begun); len(alive) != c.alive || err != c.err {
			t.Errorf("%+v: %v, %v", c, alive, err)
		}
	}
	if !strings.Contains(errSlow.Error(), listPatience.String()) {
		t.Errorf("%q does not name %v", errSlow, listPatience)
	}
}

func TestHasUID(t *testing.T) {
	if !HasUID(uint32(os.Geteuid())) {
		t.Error("no process has the uid of this one")
	}
	const unused = uint32(4_000_000_001)
	if HasUID(unused) {
		t.Errorf("a process has the uid %d", unused)
	}
}

func TestCgroup(t *testing.T) {
	path, err := Cgroup(os.Getpid())
	if err != nil || path != "" && path[0] != '/' {
		t.Errorf("this process is in %q, %v", path, err)
	}
	if path, err := Cgroup(1 << 22); err == nil {
		t.Errorf("a pid that no process can have is in %q", path)
	}
}

// TestMayDie checks the states of which a kill is not expected to make an end soon.
func TestMayDie(t *testing.T) {
	for _, state := range []byte("RSDTtZXI") {
		want := state != 'D' && state != 't' && state != 'Z'
		if got := (Process{State: state}).MayDie(); got != want {
			t.Errorf("state %c: %v", state, got)
		}
	}
}
