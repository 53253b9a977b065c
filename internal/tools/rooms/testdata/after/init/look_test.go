package supervisor

import "example.com/after/init/hold"

// Tests are not measured.
func inTest(c hold.Containment) bool {
	_, ok := c.(*hold.Tree)
	return ok
}
