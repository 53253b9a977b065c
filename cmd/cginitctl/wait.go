package main

import (
	"context"
	"errors"
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/spf13/cobra"
)

// statusTimedOut is what timeout(1) answers.
const statusTimedOut = 124

func newWait(o *options) *cobra.Command {
	var p control.WaitParams
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:               "wait JOB...",
		Short:             "Wait until jobs are started, ready, healthy or ended (status 124: the time was up)",
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
			if errors.As(err, new(control.TimedOut)) {
				return failed{err, statusTimedOut}
			}
			return err
		},
	}
	cmd.Flags().StringVar(&p.Until, "for", control.UntilReady, "`what` to wait for: started, ready, healthy, ended")
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "how long at most; 0: for ever")
	return cmd
}
