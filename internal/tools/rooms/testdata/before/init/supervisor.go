package supervisor

// Supervisor is empty.
type Supervisor struct{}

// Level is a level.
type Level string

type containment interface{ empty() bool }

type tree struct{}

func (tree) empty() bool { return true }

func look(c containment, l Level) bool {
	_, ok := c.(tree)
	return ok || l == "tree"
}
