package life

// Run has an exported field of its own and one that it embeds.
type Run struct {
	state
	Pid  int
	done bool
}

type state struct {
	Phase int
	next  *state
}

// Job has none.
type Job struct{ run *Run }
