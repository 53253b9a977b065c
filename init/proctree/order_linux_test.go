package proctree

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestOrder encodes and decodes an order, whole and cut short, and checks bad ones.
func TestOrder(t *testing.T) {
	o := Order{
		Path: "/bin/sh", Args: []string{"sh", "-c", "a b\nc", ""}, Env: []string{"A=1", "B="}, Dir: "/tmp",
		Files: []int{5, -1, 6}, Setpgid: true, Pgid: 77, NoNewPrivs: true, OOMMore: 12,
		User: &User{UID: 1, GID: 2, Groups: []uint32{3, 4}}, Own: &Own{UID: 1, Killer: 9},
	}
	b := o.encode()
	got, ok := decode(b, []int{5, 6})
	if !ok || !equal(got, o) {
		t.Errorf("%+v became %+v, %v", o, got, ok)
	}
	for n := range b {
		if _, ok := decode(b[:n], nil); ok {
			t.Errorf("%d of %d bytes are accepted as an order", n, len(b))
		}
	}
	for _, bad := range []Order{
		{},
		{Path: "/x"},
		{Path: "/x", Args: []string{"a\x00b"}},
		{Path: "/x", Args: []string{"a"}, Files: make([]int, maxOrderFiles+1)},
		{Path: "/x", Args: []string{"a"}, User: &User{UID: 1}, Own: &Own{UID: 2, Killer: 3}},
	} {
		if bad.check() == nil {
			t.Errorf("%.80v is not refused", bad)
		}
	}
}

func equal(a, b Order) bool {
	return a.Path == b.Path && slices.Equal(a.Args, b.Args) && slices.Equal(a.Env, b.Env) && a.Dir == b.Dir &&
		slices.Equal(a.Files, b.Files) && a.Setsid == b.Setsid && a.Setpgid == b.Setpgid && a.Pgid == b.Pgid &&
		a.NoNewPrivs == b.NoNewPrivs && a.OOMMore == b.OOMMore && *a.Own == *b.Own &&
		a.User.UID == b.User.UID && a.User.GID == b.User.GID && slices.Equal(a.User.Groups, b.User.Groups)
}

// TestJobsWorld: the main process gets the directory, the environment and the descriptors of the
// order and none of ours. Signals that the caller ignores stay ignored: make lets its children
// ignore a signal of the C library.
func TestJobsWorld(t *testing.T) {
	const show = "grep -E 'Sig(Blk|Ign)' /proc/self/status"
	plain, err := exec.Command("/bin/sh", "-c", show).Output()
	if err != nil {
		t.Fatal(err)
	}
	h := start(t, Order{
		Args: []string{"/bin/sh", "-c", "pwd; echo $A; ls /proc/self/fd | tr '\\n' ' '; echo; " + show},
		Env:  []string{"A=b c", "PATH=/usr/bin:/bin"}, Dir: "/usr",
	})
	for _, want := range []string{"/usr", "b c", "0 1 2 3"} { // ls itself has opened 3
		if got := h.line(""); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for want := range strings.Lines(string(plain)) {
		if got := h.line(""); got != strings.TrimSpace(want) {
			t.Errorf("%q, and %q without a holder", got, want)
		}
	}
	h.gone()
}
