package main

import (
	"context"
	"fmt"

	"github.com/cginit/cginit/init/control"
	"github.com/spf13/cobra"
)

func newHealth(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "health",
		Short: "Tell whether all that is to run does and is healthy (status 0) or not (1): HEALTHCHECK CMD [\"cginitctl\", \"health\"]",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			healthy := false
			err := with(o, cmd, func(ctx context.Context, c *control.Client) (*control.HealthReply, error) {
				r, err := c.Health(ctx)
				healthy = err == nil && r.Healthy
				return r, err
			}, func(r *control.HealthReply) {
				for _, reason := range r.Reasons {
					fmt.Fprintln(cmd.OutOrStdout(), printable(reason))
				}
				if r.Healthy {
					fmt.Fprintln(cmd.OutOrStdout(), "healthy")
				}
			})
			if err == nil && !healthy {
				return exit(statusFailed)
			}
			return err
		},
	}
}
