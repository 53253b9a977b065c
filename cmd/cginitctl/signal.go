package main

import (
	"context"

	"github.com/cginit/cginit/init/control"
	"github.com/spf13/cobra"
)

// newSignal returns the command signal.
func newSignal(o *options) *cobra.Command {
	var p control.SignalParams
	cmd := &cobra.Command{
		Use:               "signal SIGNAL JOB...",
		Short:             "Send a signal (TERM, SIGTERM, 15, RTMIN+3) to the main processes of jobs",
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: o.jobArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			p.Signal, p.Jobs = args[0], args[1:]
			return with(o, cmd, func(ctx context.Context, c *control.Client) (*control.SignalReply, error) {
				return c.Signal(ctx, p)
			}, func(*control.SignalReply) {})
		},
	}
	cmd.Flags().BoolVar(&p.All, "all", false, "send it to all processes of the jobs")
	return cmd
}
