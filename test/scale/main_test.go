// Package scale runs cginit with many services: in random order of dependency, crashing all at
// once, or just there. What it costs is bounded, and nothing of it is left.
package scale

import (
	"os"
	"testing"

	"github.com/cginit/cginit/test/internal/pod"
)

func TestMain(m *testing.M) { os.Exit(pod.Main(m)) }
