package main

import (
	"context"

	"github.com/cginit/cginit/init/control"
	"github.com/spf13/cobra"
)

// newStart returns the command start.
func newStart(o *options) *cobra.Command {
	var p control.StartParams
	cmd := &cobra.Command{
		Use:               "start JOB...",
		Short:             "Start jobs and what they depend on, and wait until they are ready",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: o.jobArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			p.Jobs = args
			return with(o, cmd, func(ctx context.Context, c *control.Client) (*control.StartReply, error) {
				return c.Start(ctx, p)
			}, func(r *control.StartReply) { table(cmd.OutOrStdout(), rows(r.Jobs)) })
		},
	}
	cmd.Flags().BoolVar(&p.NoWait, "no-wait", false, "do not wait until they are ready")
	return cmd
}
