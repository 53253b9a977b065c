package supervisor

// tellState tells whoever follows that something about a job has changed.
func (s *Supervisor) tellState(j *job) {}
