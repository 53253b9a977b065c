package hold

// Level is a level.
type Level string

// Containment is an interface.
type Containment interface{ Empty() bool }

func inside(c any, l Level) bool { return c.(Containment).Empty() || l == "" }
