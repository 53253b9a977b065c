package main

import (
	"context"

	"github.com/cginit/cginit/init/control"
	"github.com/spf13/cobra"
)

// newKill returns the command kill.
func newKill(o *options) *cobra.Command {
	var p control.KillParams
	cmd := &cobra.Command{
		Use:               "kill JOB...",
		Short:             "Kill all processes of jobs at once, and wait until none is left",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: o.jobArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			p.Jobs = args
			return with(o, cmd, func(ctx context.Context, c *control.Client) (*control.KillReply, error) {
				return c.Kill(ctx, p)
			}, func(r *control.KillReply) { receipts(cmd.OutOrStdout(), r.Receipts) })
		},
	}
	cmd.Flags().BoolVar(&p.NoWait, "no-wait", false, "do not wait until they are dead")
	return cmd
}
