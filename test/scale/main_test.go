// Package scale runs cginit with many services: in a random order of dependency, crashing all at the
// same time, or idle. It checks that their cost is bounded, and that nothing is left.
package scale

import (
	"os"
	"testing"

	"github.com/cginit/cginit/test/internal/pod"
)

func TestMain(m *testing.M) { os.Exit(pod.Main(m)) }
