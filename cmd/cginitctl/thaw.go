package main

import (
	"context"

	"github.com/cginit/cginit/init/control"
	"github.com/spf13/cobra"
)

// newThaw returns the command thaw.
func newThaw(o *options) *cobra.Command {
	return &cobra.Command{
		Use:               "thaw JOB...",
		Short:             "Let frozen jobs run again",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: o.jobArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return with(o, cmd, func(ctx context.Context, c *control.Client) (*control.ThawReply, error) {
				return c.Thaw(ctx, control.ThawParams{Jobs: args})
			}, func(*control.ThawReply) {})
		},
	}
}
