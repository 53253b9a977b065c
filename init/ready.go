package supervisor

// isReady does what is to be done when a job has become ready.
func (s *Supervisor) isReady(j *job) {
	if s.single == nil && s.config.Verbose {
		s.log.printf("%s: ready", j.spec.Name)
	}
	s.beginHealth(j)
	if len(j.spec.PostStart) > 0 {
		j.hooked = 0
		s.nextHook(j, rolePostStart)
	}
}

// daemonised is told that the main process of a run has ended; where it was to go to the
// background, and something of it is there, the job is ready.
func (s *Supervisor) daemonised(r *run) {
	if r.role != roleMain || !r.isDaemon() || r.state != waiting {
		return
	}
	if pids, err := r.procs(); err != nil || len(pids) > 0 { // a holder says only later that nothing is
		s.later(r.job, jvReady)
	}
}

// sayUp tells the world that all that can fail has gone well.
func (s *Supervisor) sayUp() {
	if s.single != nil {
		return
	}
	s.tellManager("READY=1")
	s.tellPhase("up")
	if s.config.Up != nil {
		_, _ = s.config.Up.WriteString("up\n")
		s.config.Up.Close()
	}
	if s.config.Verbose {
		s.log.printf("up")
	}
}

func (s *Supervisor) sayStopping() {
	s.tellManager("STOPPING=1")
	s.tellPhase("stopping")
}
