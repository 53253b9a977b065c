package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/control"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// runFlags are the flags of run, and the parameters that they make.
type runFlags struct {
	*options
	p           control.RunParams
	limits      config.Limits
	timeout     time.Duration
	grace       time.Duration
	user        string
	env         []string
	report      string // a file, or "-" for stdout; empty: none
	tty         bool
	interactive bool
	killMode    config.KillMode
	leftovers   config.Leftovers
	stopSignal  config.StopSignalValue
}

// newRun returns the command run.
func newRun(o *options) *cobra.Command {
	r := &runFlags{options: o}
	cmd := &cobra.Command{
		Use:   "run [flags] [--] COMMAND [ARG...]",
		Short: "Run a command as a job of its own, and tear it down when it or cginitctl ends",
		Long: `Run a command as a job of its own. It gets the stdin, stdout and stderr of cginitctl, its
environment and its working directory. The job is torn down, with everything that the command
has started, when the command ends, when its time is up, or when cginitctl ends, however that
happens. With --detach it goes on when cginitctl ends.

If stdin is a terminal, the command gets a terminal of its own, and cginitctl copies between
the two: job control, Ctrl-C and the size of the window work. cginitctl passes its signals on to
the command. The second INT or TERM ends the run.

Exit status: that of the command, or 128 + the signal that ended it; 124: timed out; 125:
cginit or cginitctl failed; 126: the command cannot be executed; 127: the command is not found.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return failed{errors.New("no command; use cginitctl run [flags] -- COMMAND [ARG...]"), statusRunFailed}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			status, err := r.run(cmd, args)
			switch {
			case err != nil:
				return failed{err, statusRunFailed}
			case status != 0:
				return exit(status)
			}
			return nil
		},
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return failed{err, statusRunFailed} })
	r.addFlags(cmd.Flags())
	return cmd
}

// addFlags defines the flags of run.
func (r *runFlags) addFlags(f *pflag.FlagSet) {
	f.SetInterspersed(false) // flags behind the command are the command's
	f.SortFlags = false
	f.StringVar(&r.p.Name, "name", "", "the name of the job (without the flag: run-N)")
	f.DurationVar(&r.timeout, "timeout", 0, "stop the command after this time (exit status 124)")
	f.Func("memory", "the most memory and swap together, such as 512m", r.limits.SetMemory)
	f.Func("cpus", "the most processors, such as 0.5", r.limits.SetCPUs)
	f.Func("pids-limit", "the most processes and threads at once", r.limits.SetPids)
	f.StringVarP(&r.user, "user", "u", "",
		"run the command as `NAME|UID[:GROUP|GID]`, or auto, a uid that nothing else has (without the flag: as the "+
			"user of cginitctl)")
	f.BoolVar(&r.p.Seal, "seal", false,
		"keep the command from signalling and tracing others, from the cgroup tree and from mounts")
	f.StringArrayVarP(&r.env, "env", "e", nil, "set a variable of the command, `NAME=VALUE`; repeatable")
	f.StringVarP(&r.p.Process.Cwd, "workdir", "w", "", "the working directory (without the flag: that of cginitctl)")
	f.BoolVarP(&r.p.Detach, "detach", "d", false,
		"return when the command has started; its output goes to that of the supervisor")
	f.Var(&r.killMode, "kill-mode",
		"which processes a stop asks: mixed (the command; the others when it has ended, or after half of the grace "+
			"period if it ignores the signal), control-group (all at once), process (the command alone)")
	f.Var(&r.leftovers, "leftovers",
		"what happens to the other processes when the command ends by itself: stop (ask, then kill), wait (for the "+
			"last one), kill")
	f.Var(&r.stopSignal, "stop-signal", "ask the command to stop with this `signal` (without the flag: TERM); auto: the one that is known for it")
	f.DurationVar(&r.grace, "stop-grace-period", 0, "the time from the request to stop until all is killed")
	f.StringVar(&r.report, "report", "", "append the receipt to this `file`, or print it on stdout (-)")
	f.BoolVarP(&r.tty, "tty", "t", false, "give the command a terminal (without the flag: if stdin is one)")
	f.BoolVarP(&r.interactive, "interactive", "i", true, "give the command the stdin of cginitctl; false: /dev/null")
}

// run runs the command, and returns its exit status.
func (r *runFlags) run(cmd *cobra.Command, args []string) (status int, err error) {
	ctx := cmd.Context()
	c, err := r.dial(ctx)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if err := r.fill(cmd, c, args); err != nil {
		return 0, err
	}
	if !r.p.Detach {
		if !cmd.Flags().Changed("tty") {
			r.tty = r.interactive && isTerminal(0)
		}
		return r.attached(ctx, c)
	}
	lease, err := c.Run(ctx, r.p)
	if err != nil {
		return 0, err
	}
	if lease.Started.State == control.Ended {
		return r.ended(lease.Started)
	}
	if r.json {
		return 0, printJSON(cmd.OutOrStdout(), lease.Started)
	}
	fmt.Fprintln(cmd.OutOrStdout(), lease.Started.Job)
	return 0, nil
}

// attached runs the command with the stdin, stdout and stderr of cginitctl, and waits for its end.
func (r *runFlags) attached(ctx context.Context, c *control.Client) (status int, err error) {
	files := []*os.File{os.Stdin, os.Stdout, os.Stderr}
	if !r.interactive {
		if files[0], err = os.Open(os.DevNull); err != nil {
			return 0, err
		}
	}
	var t *terminal
	if r.tty {
		if t, err = openTerminal(r.p.Process.User); err != nil {
			return 0, fmt.Errorf("cannot open a terminal for the command: %w (run it without one by --tty=false)", err)
		}
		defer t.restore()
		r.p.Process.Terminal = true
		files = t.files(files)
	}
	signals := catch(t)
	lease, err := c.Run(ctx, r.p, files...)
	if err != nil {
		return 0, err
	}
	if t != nil {
		if err := t.begin(); err != nil {
			return 0, err
		}
	} else if err := r.letGo(); err != nil {
		return 0, err
	}
	go signals.forward(lease)
	last, err := lease.Wait()
	if t != nil {
		t.finish()
	}
	if err != nil {
		return 0, err
	}
	return r.ended(last)
}

// ended prints or appends what is known about the end of the run, and returns the exit status.
func (r *runFlags) ended(last *control.RunReply) (status int, err error) {
	if last.Error != "" {
		fmt.Fprintf(os.Stderr, "cginitctl: %s\n", last.Error)
	}
	if last.ExitStatus == nil {
		return 0, fmt.Errorf("the supervisor reported no exit status for %s", last.Job)
	}
	if last.Receipt != nil {
		if err := r.writeReport(last.Receipt); err != nil {
			return 0, err
		}
	}
	return *last.ExitStatus, nil
}

// writeReport prints the receipt, or appends it to the file.
func (r *runFlags) writeReport(receipt *control.Receipt) error {
	if r.report == "-" {
		return printJSON(os.Stdout, receipt)
	}
	f, err := os.OpenFile(r.report, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("cannot write the receipt: %w", err)
	}
	defer f.Close()
	return printJSON(f, receipt)
}
