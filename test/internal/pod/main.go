package pod

import (
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
)

// Main runs the tests of a package from a known state, removes what their pods were in, and
// returns their exit status.
func Main(m *testing.M) int {
	status := harness.Main(m)
	RemoveTop()
	return status
}
