package scale

import (
	"os"
	"testing"

	"github.com/cginit/cginit/init/proctree"
	"github.com/cginit/cginit/test/internal/box"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// The budgets. Both programs are stripped here as they are in the image.
const (
	binaryMost  = 8 << 20
	privateMost = 1536 // kB, of process 1 with one command
	holderMost  = 1024 // kB
)

func TestSize(t *testing.T) {
	for _, name := range []string{"cginit", "cginitctl"} {
		info, err := os.Stat(harness.Bin(t, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > binaryMost {
			t.Errorf("%s has %d bytes", name, info.Size())
		}
	}
}

// TestMemory: what process 1 has to itself around one command, with a cgroup and without.
func TestMemory(t *testing.T) {
	for _, mode := range pod.Modes {
		p := pod.Start(t, pod.Spec{Mode: mode, Args: []string{"--", "sh", "-c", "echo up; exec sleep 1000"}})
		p.Line("up")
		kb := pod.PrivateDirty(t, p.Pid)
		t.Logf("%s: %d kB", mode, kb)
		if kb > privateMost {
			t.Errorf("%s: %d kB are cginit's alone", mode, kb)
		}
	}
}

// TestHolderMemory: what each job without a cgroup costs beside itself.
func TestHolderMemory(t *testing.T) {
	b := box.Start(t, pod.NoCgroup, "services: {a: {command: [sleep, '1000']}, b: {command: [sleep, '1000']}}")
	b.Await(t, "ready", "a", "b")
	holders := 0
	for _, pid := range proctree.Below(b.Pid) {
		if len(proctree.Below(pid)) == 0 {
			continue // no holder, or a spare one
		}
		holders++
		kb := pod.PrivateDirty(t, pid)
		t.Logf("a holder: %d kB", kb)
		if kb > holderMost {
			t.Errorf("%d kB are a holder's alone", kb)
		}
	}
	if holders != 2 {
		t.Errorf("%d holders were found of two jobs", holders)
	}
	b.End(t, 0)
}
