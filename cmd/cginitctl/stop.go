package main

import (
	"context"
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/spf13/cobra"
)

func newStop(o *options) *cobra.Command {
	var p control.StopParams
	var grace time.Duration
	cmd := &cobra.Command{
		Use:               "stop JOB...",
		Short:             "Stop jobs, and first what depends on them, until they are started; returns when nothing of them is left",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: o.jobArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			p.Jobs = args
			if cmd.Flags().Changed("stop-grace-period") {
				p.GracePeriod = milliseconds(grace)
			}
			return with(o, cmd, func(ctx context.Context, c *control.Client) (*control.StopReply, error) {
				return c.Stop(ctx, p)
			}, func(r *control.StopReply) { receipts(cmd.OutOrStdout(), r.Receipts) })
		},
	}
	cmd.Flags().DurationVar(&grace, "stop-grace-period", 0, "what they get before they are killed, in place of their own")
	cmd.Flags().BoolVar(&p.NoWait, "no-wait", false, "do not wait")
	return cmd
}

func milliseconds(d time.Duration) *int64 {
	ms := d.Milliseconds()
	return &ms
}
