package life

// Run has no exported field.
type Run struct{ done bool }

// Job has no exported field.
type Job struct{ run *Run }
