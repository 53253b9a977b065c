package hold

// Level is a level.
type Level string

// LevelTree is one.
const LevelTree Level = "tree"

// Containment is an interface.
type Containment interface{ Empty() bool }

// Tree is a containment.
type Tree struct{}

// Empty is true.
func (*Tree) Empty() bool { return true }

func inside(c Containment, l Level) bool {
	_, ok := c.(*Tree)
	return ok || l == LevelTree
}
