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

// runFlags is what run is asked for.
type runFlags struct {
	*options
	p           control.RunParams
	limits      config.Limits
	timeout     time.Duration
	grace       time.Duration
	user        string
	env         []string
	report      string // a file, or -; empty: none
	tty         bool
	interactive bool
	killMode    config.KillMode
	leftovers   config.Leftovers
	stopSignal  config.SignalValue
}

func newRun(o *options) *cobra.Command {
	r := &runFlags{options: o}
	cmd := &cobra.Command{
		Use:   "run [flags] [--] COMMAND [ARG...]",
		Short: "Run a command as a job of its own, and tear it down when it, or we, end",
		Long: `Run a command as a job of its own. It gets our stdin, stdout and stderr, our environment and
our working directory, and is torn down, with all that it has started, when it ends, when its
time is up, and when we end, however that happens. With --detach it stays.

Where stdin is a terminal the command has one of its own, which we pass on: job control, Ctrl-C
and the size of the window work. Signals that we get are sent to the command; the second INT or
TERM ends the lease, and so the run.

Exit status: the command's own, or 128 + the signal that ended it; 124 timed out; 125 cginit
failed; 126 cannot be executed; 127 not found.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return failed{errors.New("no command: cginitctl run [flags] -- COMMAND [ARG...]"), statusRunFailed}
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

func (r *runFlags) addFlags(f *pflag.FlagSet) {
	f.SetInterspersed(false) // what follows the command is the command's
	f.SortFlags = false
	f.StringVar(&r.p.Name, "name", "", "the job's name; left out: run-N")
	f.DurationVar(&r.timeout, "timeout", 0, "stop it when it has run this long (status 124)")
	f.Func("memory", "memory limit, such as 512m", r.limits.SetMemory)
	f.Func("cpus", "how many processors, such as 0.5", r.limits.SetCPUs)
	f.Func("pids-limit", "how many processes and threads at once", r.limits.SetPids)
	f.StringVarP(&r.user, "user", "u", "", "run it as `NAME|UID[:GROUP|GID]`, or auto: as a uid that nothing else has; left out: as us")
	f.StringArrayVarP(&r.env, "env", "e", nil, "set a variable, `KEY=VALUE`; repeatable")
	f.StringVarP(&r.p.Process.Cwd, "workdir", "w", "", "its working directory; left out: ours")
	f.BoolVarP(&r.p.Detach, "detach", "d", false, "return when it has started; it writes where the supervisor does")
	f.Var(&r.killMode, "kill-mode", "whom a stop asks: mixed (the command, then the rest), control-group (all at once), process (the command alone)")
	f.Var(&r.leftovers, "leftovers", "when the command ends by itself, its other processes: stop (ask, then kill), wait (for the last of them), kill")
	f.Var(&r.stopSignal, "stop-signal", "ask it to stop with this `signal`; left out: TERM")
	f.DurationVar(&r.grace, "stop-grace-period", 0, "how long after that it may live; then it is killed")
	f.StringVar(&r.report, "report", "", "append the receipt to this `file`, or print it (-)")
	f.BoolVarP(&r.tty, "tty", "t", false, "a terminal of its own; left out: if stdin is one")
	f.BoolVarP(&r.interactive, "interactive", "i", true, "our stdin; false: /dev/null")
}

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

// attached runs the command with our stdin, stdout and stderr.
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
			return 0, fmt.Errorf("there is no terminal for it: %w (--tty=false does without)", err)
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

// ended says what is to be said of the end, and returns the exit status.
func (r *runFlags) ended(last *control.RunReply) (status int, err error) {
	if last.Error != "" {
		fmt.Fprintf(os.Stderr, "cginitctl: %s\n", last.Error)
	}
	if last.ExitStatus == nil {
		return 0, fmt.Errorf("the supervisor does not say how %s ended", last.Job)
	}
	if last.Receipt != nil {
		if err := r.writeReport(last.Receipt); err != nil {
			return 0, err
		}
	}
	return *last.ExitStatus, nil
}

func (r *runFlags) writeReport(receipt *control.Receipt) error {
	if r.report == "-" {
		return printJSON(os.Stdout, receipt)
	}
	f, err := os.OpenFile(r.report, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("the receipt cannot be written: %w", err)
	}
	defer f.Close()
	return printJSON(f, receipt)
}
