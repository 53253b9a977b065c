package main

import (
	"context"

	"github.com/cginit/cginit/init/control"
	"github.com/spf13/cobra"
)

// newRestart returns the command restart.
func newRestart(o *options) *cobra.Command {
	var p control.RestartParams
	cmd := &cobra.Command{
		Use:               "restart JOB...",
		Short:             "Stop jobs, start them again, and wait until they are ready",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: o.jobArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			p.Jobs = args
			return with(o, cmd, func(ctx context.Context, c *control.Client) (*control.RestartReply, error) {
				return c.Restart(ctx, p)
			}, func(r *control.RestartReply) { table(cmd.OutOrStdout(), rows(r.Jobs)) })
		},
	}
	cmd.Flags().BoolVar(&p.NoWait, "no-wait", false, "do not wait until they are ready")
	return cmd
}
