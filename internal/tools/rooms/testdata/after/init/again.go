package supervisor

func (s *Supervisor) again() { s.start() }
