package proctree

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Uids that no process of the machine has, those of this test where it runs twice included:
// kill(-1) would not know them apart.
var (
	jobUID    = uint32(1_000_000_000 + 4*os.Getpid())
	otherUID  = jobUID + 1
	killerUID = jobUID + 2
)

func asUser(o Order, uid uint32) Order {
	o.User = &User{UID: uid, GID: uid}
	o.Own = &Own{UID: uid, Killer: killerUID}
	return o
}

func ownTree(t *testing.T, kind, n string, uid uint32) *held {
	t.Helper()
	marker := strings.ReplaceAll(t.Name(), " ", "-") + time.Now().Format(".150405.000000000.")
	h := start(t, asUser(Order{Args: []string{treesBinary, kind, n, "--marker", marker}}, uid))
	h.line("ready")
	h.marker = marker
	return h
}

func TestOwnUID(t *testing.T) {
	needRoot(t)
	neighbour := ownTree(t, "daemon", "10", otherUID)
	for _, kind := range kinds {
		for way, end := range ways {
			t.Run(kind.name+" "+way, func(t *testing.T) {
				h := ownTree(t, kind.name, kind.n, jobUID)
				end(h)
				h.nothingLeft()
			})
		}
	}
	if n := len(marked(neighbour.marker)); n != 11 {
		t.Errorf("the neighbour has %d processes left", n)
	}
	_ = neighbour.Kill()
	neighbour.gone()
	neighbour.nothingLeft()
}

// TestOwnUIDBomb: kill(-1) needs no walk to end hundreds that fork.
func TestOwnUIDBomb(t *testing.T) {
	needRoot(t)
	h := ownTree(t, "bomb", "400", jobUID)
	before := time.Now()
	_ = h.Kill()
	h.gone()
	t.Logf("400 lines were gone in %v", time.Since(before))
	h.nothingLeft()
}

func TestOwnUIDFreeze(t *testing.T) {
	needRoot(t)
	h := ownTree(t, "daemon", "20", jobUID)
	_ = h.Freeze()
	h.await(Frozen)
	pids, err := h.Procs()
	if err != nil || len(pids) != 21 {
		t.Errorf("frozen are %v, %v", pids, err)
	}
	for _, pid := range pids {
		if s := state(pid); s != 'T' {
			t.Errorf("%d is in state %c", pid, s)
		}
	}
	_ = h.Thaw()
	until(t, "all run again", func() bool {
		for _, pid := range pids {
			if state(pid) == 'T' {
				return false
			}
		}
		return true
	})
	_ = h.Kill()
	h.gone()
}

// TestNoNewPrivs: a job with a uid to itself must not find a way to another.
func TestNoNewPrivs(t *testing.T) {
	needRoot(t)
	h := start(t, asUser(sh("grep NoNewPrivs /proc/self/status; id -u"), jobUID))
	if got := h.line("NoNewPrivs:"); got != "1" {
		t.Errorf("no_new_privs is %q", got)
	}
	if got := h.line(""); got != fmt.Sprint(jobUID) {
		t.Errorf("it runs as %s", got)
	}
	h.gone()
}

func TestOwnUIDRefused(t *testing.T) {
	self := uint32(os.Getuid())
	for name, o := range map[string]Order{
		"uid 0":               {User: &User{UID: 0}, Own: &Own{Killer: killerUID}},
		"our own":             {User: &User{UID: self}, Own: &Own{UID: self, Killer: killerUID}},
		"no user":             {Own: &Own{Killer: killerUID}},
		"killer 0":            {User: &User{UID: jobUID}, Own: &Own{UID: jobUID}},
		"killer is the job":   {User: &User{UID: jobUID}, Own: &Own{UID: jobUID, Killer: jobUID}},
		"no uid at all":       {User: &User{UID: ^uint32(0)}, Own: &Own{UID: ^uint32(0), Killer: killerUID}},
		"killer no uid eithe": {User: &User{UID: jobUID}, Own: &Own{UID: jobUID, Killer: ^uint32(0)}},
	} {
		o.Path, o.Args = "/bin/true", []string{"true"}
		if tree, err := Start(o, Place{}); err == nil {
			t.Errorf("%s is not refused", name)
			_ = tree.Close()
			_, _ = unix.Wait4(tree.Pid, nil, 0, nil)
		}
	}
}
