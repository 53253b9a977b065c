package supervisor

func (s *Supervisor) stop() {
	s.log.print(limit)
	s.again()
}
