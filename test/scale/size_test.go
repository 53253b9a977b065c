package scale

import (
	"os"
	"testing"

	"github.com/cginit/cginit/init/proctree"
	"github.com/cginit/cginit/test/internal/box"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// The budgets. The tests strip both programs, as the image does.
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

// TestMemory checks the private memory of process 1 with one command, in each mode.
func TestMemory(t *testing.T) {
	for _, mode := range pod.Modes {
		p := pod.Start(t, pod.Spec{Mode: mode, Args: []string{"--", "sh", "-c", "echo up; exec sleep 1000"}})
		p.Line("up")
		kb := pod.PrivateDirty(t, p.Pid)
		t.Logf("%s: %d kB", mode, kb)
		if kb > privateMost {
			t.Errorf("%s: cginit has %d kB of private memory", mode, kb)
		}
	}
}

// TestHolderMemory checks the private memory of the holder that each job has without a cgroup.
func TestHolderMemory(t *testing.T) {
	b := box.Start(t, pod.NoCgroup, "services: {a: {command: [sleep, '1000']}, b: {command: [sleep, '1000']}}")
	b.Await(t, "ready", "a", "b")
	holders := 0
	for _, pid := range proctree.Below(b.Pid) {
		if len(proctree.Below(pid)) == 0 {
			continue // this is no holder, or the spare one
		}
		holders++
		kb := pod.PrivateDirty(t, pid)
		t.Logf("a holder: %d kB", kb)
		if kb > holderMost {
			t.Errorf("a holder has %d kB of private memory", kb)
		}
	}
	if holders != 2 {
		t.Errorf("two jobs have %d holders", holders)
	}
	b.End(t, 0)
}
