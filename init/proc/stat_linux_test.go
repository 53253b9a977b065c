package proc

import (
	"strings"
	"testing"
	"time"
)

const statRest = " S 7 12 13 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4200 2 3 4 5 6 7 8 9 10 1 2 3 4"

// TestParseStat checks each field, and names of commands that look like the fields after them.
func TestParseStat(t *testing.T) {
	want := Process{
		Pid: 42, PPid: 7, Group: 12, Session: 13, State: 'S', Threads: 1, Start: 42 * time.Second,
		Blocked: 1, Ignored: 2, Caught: 3,
	}
	for _, name := range []string{"sh", "", "a) b (c", "a) Z 1 (b) R 2)", "a\n) S 9\n"} {
		p, comm, ok := parseStat([]byte("42 (" + name + ")" + statRest + "\n"))
		if !ok || p != want || string(comm) != name {
			t.Errorf("%q: got %+v, %q, %v; want %+v", name, p, comm, ok, want)
		}
	}
	exiting := strings.Replace(statRest, "4194560", "4194564", 1)
	if p, _, ok := parseStat([]byte("42 (a)" + exiting)); !ok || !p.Exiting {
		t.Errorf("a process with PF_EXITING: %+v, %v", p, ok)
	}
}

func TestParseStatRefuses(t *testing.T) {
	for _, bad := range []string{
		"", "42", "42 (a", "42 (a)", "42 (a) S", "(a) S", "(a)" + statRest, "x (a)" + statRest, "42x (a)" + statRest,
		"42 (a) S 7 12", "42 (a)" + strings.TrimSuffix(statRest, " 3 4"),
	} {
		if p, _, ok := parseStat([]byte(bad)); ok {
			t.Errorf("%q gave %+v", bad, p)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("42 (a)" + statRest))
	f.Add([]byte("5 (a) b) S 4 7 7 0 -1 4194304 92 0 0 0 0 0 0 0 20 0 1 0 100"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, comm, ok := parseStat(b); ok && (p.Pid == 0 || len(comm) > len(b)) {
			t.Errorf("%q gave %+v, %q", b, p, comm)
		}
		for n := range numbers(b) {
			if n == 0 {
				t.Errorf("%q has an entry with the number 0", b)
			}
		}
	})
}
