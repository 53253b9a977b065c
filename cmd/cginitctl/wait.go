package main

import (
	"context"
	"errors"
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/spf13/cobra"
)

// statusTimedOut is the exit status when the time is up, as that of timeout(1).
const statusTimedOut = 124

// newWait returns the command wait.
func newWait(o *options) *cobra.Command {
	var p control.WaitParams
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:               "wait JOB...",
		Short:             "Wait until jobs are started, ready, healthy or ended (status 124: the time is up)",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: o.jobArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			p.Jobs = args
			if timeout > 0 {
				p.Timeout = milliseconds(timeout)
			}
			err := with(o, cmd, func(ctx context.Context, c *control.Client) (*control.WaitReply, error) {
				return c.Wait(ctx, p)
			}, func(r *control.WaitReply) { table(cmd.OutOrStdout(), rows(r.Jobs)) })
			return timedOut(err)
		},
	}
	cmd.Flags().StringVar(&p.Until, "for", control.UntilReady,
		"the `state` to wait for: started, ready, healthy or ended")
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "the longest time to wait; 0: no limit")
	return cmd
}

// timedOut returns an error, with the exit status for one that says that the time is up.
func timedOut(err error) error {
	if errors.As(err, new(control.TimedOut)) {
		return failed{err, statusTimedOut}
	}
	return err
}
