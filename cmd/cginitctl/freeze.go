package main

import (
	"context"

	"github.com/cginit/cginit/init/control"
	"github.com/spf13/cobra"
)

// newFreeze returns the command freeze.
func newFreeze(o *options) *cobra.Command {
	return &cobra.Command{
		Use:               "freeze JOB...",
		Short:             "Suspend every process of jobs",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: o.jobArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return with(o, cmd, func(ctx context.Context, c *control.Client) (*control.FreezeReply, error) {
				return c.Freeze(ctx, control.FreezeParams{Jobs: args})
			}, func(*control.FreezeReply) {})
		},
	}
}
