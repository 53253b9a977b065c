package supervisor

import (
	"cmp"
	"fmt"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/init/hold"
	"github.com/cginit/cginit/init/host"
	"github.com/cginit/cginit/init/priority"
	"github.com/cginit/cginit/internal/threads"
)

// prepare does everything that can fail for good, before any job starts.
func (s *Supervisor) prepare() (err error) {
	if s.inbox, err = catch(); err != nil {
		return err
	}
	if s.trace, err = openTrace(s.config.Trace); err != nil {
		return err
	}
	s.inherited.find()
	if s.config.Report != "" {
		if err := s.reports.open(s.config.Report); err != nil {
			return err
		}
	}
	if s.jobs.single == nil || s.config.Socket != "" {
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
	s.home.KeepSpares(s.jobs.single == nil || s.calls.server != nil)
	if err := s.prepareTerminal(); err != nil {
		return err
	}
	return s.home.Guard()
}

// threads returns how many threads the supervisor can need at once: for the loop, for a fork, for a log that
// nobody reads; and for the copies of output, the files of reports and the calls of more than one command.
func (c *Config) threads() int {
	const one, many = 2, 6 // the runtime adds one that waits for descriptors
	if c.File == nil && !c.TakesCalls() && c.Report == "" && c.Command.Log == config.LogInherit && !c.Command.TTY {
		return one
	}
	return many
}

// prepareHome finds the containment for the jobs. It returns an error if one of them would be held
// less well than --require asks for, or cannot have its uid or its limits.
func (s *Supervisor) prepareHome() (err error) {
	s.home, err = s.open(hold.Options{
		Alone: s.jobs.single != nil && !s.config.TakesCalls(), Hint: host.HowToGetCgroup,
		Post: func(m func()) { s.post(m) }, Complain: s.log.Complain,
		Meanwhile: func() {
			s.log.Complain("reserve threads", threads.Reserve(s.config.threads()))
			priority.ClaimAll()
		},
	})
	if err != nil {
		return err
	}
	hold.SealAuto(s.jobs.specs())
	var levels []hold.Level
	for _, j := range s.jobs.all {
		level := s.jobs.levelOf(s.home, j)
		levels = append(levels, level)
		if err := s.home.Suffices(level, s.config.Require); err != nil {
			return s.jobs.blame(j, err)
		}
		if err := s.allow(j.spec); err != nil {
			return s.jobs.blame(j, err)
		}
	}
	if level := s.home.Level(); s.home.Why() != nil && !s.config.Quiet {
		s.log.Printf("no writable cgroup (%v): %s", s.home.Why(), s.home.Consequence(levels))
	} else if s.config.Verbose {
		s.log.Printf("containment %s: %s", level, level.Guarantee())
	}
	return nil
}

// allow prepares the uid and the limits of a spec, and returns an error if its runs cannot have
// them. With --best-effort-limits it logs a limit that cannot be enforced and removes it from the
// spec.
func (s *Supervisor) allow(spec *config.Spec) error {
	if err := cmp.Or(hold.AllowUser(spec), hold.AllowSeal(spec), s.home.AllowRlimits(spec)); err != nil {
		return err
	}
	if !s.config.BestEffortLimits {
		return s.home.Allow(spec.Resources)
	}
	spec.Resources = s.home.AllowSome(spec.Resources, func(controllers string, err error) {
		s.log.Printf("%s: its %s limit is not enforced: %v", spec.Name, controllers, err)
	})
	return nil
}

// TakesCalls tells whether the supervisor is to have a control socket.
func (c *Config) TakesCalls() bool { return c.Socket != "" && c.Socket != "none" }

// listen binds the control socket. If that fails, it returns an error for a socket that was asked
// for. Without the default socket, for which a container may have no place, the start goes on.
func (s *Supervisor) listen() error {
	if !s.config.TakesCalls() {
		return nil
	}
	c := control.Config{Path: s.config.Socket, Version: s.config.Version}
	if f := s.config.File; f != nil {
		c.UIDs, c.GIDs = f.AllowUIDs, f.AllowGIDs
	}
	server, err := control.Listen(c)
	switch {
	case err == nil:
		s.calls.server, s.calls.journal.isOn = server, true
	case s.config.SocketRequired:
		return err
	default:
		s.log.Printf("no control socket: %v", err)
	}
	return nil
}

// prepareTerminal opens our terminal, which only the command of the command line can take over.
func (s *Supervisor) prepareTerminal() error {
	if s.jobs.single == nil {
		return nil
	}
	s.terminal = openTerminal()
	if s.terminal == nil || !s.jobs.single.spec.NewSession {
		return nil
	}
	t, err := s.terminal.surrender()
	if err != nil {
		return fmt.Errorf("cannot give up the terminal: %w", err)
	}
	s.terminal = t
	return nil
}
