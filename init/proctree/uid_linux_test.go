package proctree

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// No other process of the machine has these uids: kill(-1) would signal it too. They depend on the
// pid, because this test may run twice at a time.
var (
	jobUID    = uint32(1_000_000_000 + 4*os.Getpid())
	otherUID  = jobUID + 1
	killerUID = jobUID + 2
)

// asUser returns the order with a uid that is the job's alone.
func asUser(o Order, uid uint32) Order {
	o.User = &User{UID: uid, GID: uid}
	o.Own = &Own{UID: uid, Killer: killerUID}
	return o
}

// ownTree starts a tree of test/trees as a uid of its own.
func ownTree(t *testing.T, kind, n string, uid uint32) *held {
	t.Helper()
	marker := strings.ReplaceAll(t.Name(), " ", "-") + time.Now().Format(".150405.000000000.")
	h := start(t, asUser(Order{Args: []string{treesBinary, kind, n, "--marker", marker}}, uid))
	h.line("ready")
	h.marker = marker
	return h
}

// TestOwnUID ends each kind of tree in each way, by the uid of the job.
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

// TestOwnUIDBomb: kill(-1) ends hundreds of processes that fork without a walk.
func TestOwnUIDBomb(t *testing.T) {
	needRoot(t)
	h := ownTree(t, "bomb", "400", jobUID)
	before := time.Now()
	_ = h.Kill()
	h.gone()
	t.Logf("400 lines ended within %v", time.Since(before))
	h.nothingLeft()
}

// TestOwnUIDFreeze: one kill(-1) stops every process of the job.
func TestOwnUIDFreeze(t *testing.T) {
	needRoot(t)
	h := ownTree(t, "daemon", "20", jobUID)
	_ = h.Freeze()
	h.await(Frozen)
	pids, err := h.Procs()
	if err != nil || len(pids) != 21 {
		t.Errorf("the frozen processes are %v, %v", pids, err)
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

// TestNoNewPrivs: a job with a uid of its own cannot change to another by a set-user-ID program.
func TestNoNewPrivs(t *testing.T) {
	needRoot(t)
	h := start(t, asUser(sh("grep NoNewPrivs /proc/self/status; id -u"), jobUID))
	if got := h.line("NoNewPrivs:"); got != "1" {
		t.Errorf("no_new_privs is %q", got)
	}
	if got := h.line(""); got != fmt.Sprint(jobUID) {
		t.Errorf("the job runs as %s", got)
	}
	h.gone()
}

// TestOwnUIDRefused: an order is refused if kill(-1) would signal others than the job.
func TestOwnUIDRefused(t *testing.T) {
	self := uint32(os.Getuid())
	for name, o := range map[string]Order{
		"uid 0":             {User: &User{UID: 0}, Own: &Own{Killer: killerUID}},
		"our own":           {User: &User{UID: self}, Own: &Own{UID: self, Killer: killerUID}},
		"no user":           {Own: &Own{Killer: killerUID}},
		"killer 0":          {User: &User{UID: jobUID}, Own: &Own{UID: jobUID}},
		"killer is the job": {User: &User{UID: jobUID}, Own: &Own{UID: jobUID, Killer: jobUID}},
		"no uid at all":     {User: &User{UID: ^uint32(0)}, Own: &Own{UID: ^uint32(0), Killer: killerUID}},
		"killer no uid":     {User: &User{UID: jobUID}, Own: &Own{UID: jobUID, Killer: ^uint32(0)}},
	} {
		o.Path, o.Args = "/bin/true", []string{"true"}
		if tree, err := Start(o, Place{}); err == nil {
			t.Errorf("%s is not refused", name)
			_ = tree.Close()
			_, _ = unix.Wait4(tree.Pid, nil, 0, nil)
		}
	}
}
