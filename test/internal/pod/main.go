package pod

import (
	"testing"

	"github.com/cginit/cginit/internal/afresh"
)

// Main runs the tests of a package from a known state, removes the cgroups of their pods, and returns
// their exit status.
func Main(m *testing.M) int {
	status := afresh.Main(m)
	RemoveTop()
	return status
}
