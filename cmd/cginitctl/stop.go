package main

import (
	"context"
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/spf13/cobra"
)

// newStop returns the command stop.
func newStop(o *options) *cobra.Command {
	var p control.StopParams
	var grace time.Duration
	cmd := &cobra.Command{
		Use:               "stop JOB...",
		Short:             "Stop jobs after those that depend on them, and wait until no process is left",
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
	cmd.Flags().DurationVar(&grace, "stop-grace-period", 0,
		"how long they may take before they are killed, instead of their own grace period")
	cmd.Flags().BoolVar(&p.NoWait, "no-wait", false, "do not wait until no process is left")
	return cmd
}

// milliseconds returns a duration in the unit of the control socket.
func milliseconds(d time.Duration) *int64 {
	ms := d.Milliseconds()
	return &ms
}
