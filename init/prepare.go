package supervisor

import (
	"fmt"
	"os"

	"github.com/cginit/cginit/init/proctree"
	"golang.org/x/sys/unix"
)

// prepare does all that can fail, before anything is started.
func (s *Supervisor) prepare() (err error) {
	s.findInherited()
	if !s.pid1 {
		// Orphans of the jobs are to come to us (since Linux 3.4).
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("cannot become a subreaper: %w", err)
		}
	}
	reserveThreads()
	if s.config.Report != "" {
		if s.reports, err = openReport(s.config.Report); err != nil {
			return err
		}
	}
	if s.single == nil || s.config.Socket != "" {
		if s.null, err = openNull(); err != nil {
			return err
		}
	}
	if err := s.prepareHome(); err != nil {
		return err
	}
	if err := s.listen(); err != nil {
		return err
	}
	s.session, _ = unix.Getsid(0)
	if err := s.prepareTerminal(); err != nil {
		return err
	}
	if s.home.level == LevelCgroup && !s.pid1 {
		if s.guardian, err = startGuardian(s.home); err != nil {
			return fmt.Errorf("cannot start the guardian: %w", err)
		}
	}
	return nil
}

// prepareHome finds where the jobs are held, and sees to it that it is enough.
func (s *Supervisor) prepareHome() (err error) {
	if s.home, err = openHome(s.pid1 && s.single != nil && !s.takesCalls()); err != nil {
		return err
	}
	if s.home.level != LevelCgroup {
		s.elders = map[int]bool{}
		for _, pid := range proctree.Below(os.Getpid()) {
			s.elders[pid] = true
		}
	}
	for _, j := range s.jobs {
		if err := s.suffices(s.levelOf(j, s.home.level)); err != nil {
			return s.of(j, err)
		}
		if err := s.allow(&j.spec); err != nil {
			return s.of(j, err)
		}
	}
	if s.home.level != LevelCgroup && !s.config.Quiet {
		s.log.printf("containment %s: %s (no cgroup: %v)", s.home.level, guarantee[s.home.level], s.home.why)
	} else if s.config.Verbose {
		s.log.printf("containment %s: %s", s.home.level, guarantee[s.home.level])
	}
	return nil
}

// of says which job an error is about, where there is more than one.
func (s *Supervisor) of(j *job, err error) error {
	if j == s.single {
		return err
	}
	return fmt.Errorf("%s: %w", j.spec.Name, err)
}

// prepareTerminal: only the command of the command line takes our place at the terminal.
func (s *Supervisor) prepareTerminal() error {
	if s.single == nil {
		return nil
	}
	if s.terminal = openTerminal(s.session); s.terminal != nil && s.single.spec.NewSession {
		if err := s.surrenderTerminal(); err != nil {
			return fmt.Errorf("cannot give up the terminal: %w", err)
		}
	}
	return nil
}

// openNull opens what a job reads that nobody gives an input: /dev/null, or where there is no
// /dev a pipe that nobody writes to.
func openNull() (*os.File, error) {
	f, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err == nil {
		return f, nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("cannot make an empty input: %w", err)
	}
	return r, w.Close()
}
