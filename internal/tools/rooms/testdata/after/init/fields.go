package supervisor

// The field of log.go is no edge; the variable of supervisor.go is one.
func last() int { return spare.lines }
