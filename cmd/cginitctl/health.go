package main

import (
	"context"
	"fmt"

	"github.com/cginit/cginit/init/control"
	"github.com/spf13/cobra"
)

// newHealth returns the command health.
func newHealth(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "health",
		Short: "Check that everything is up and healthy (status 0; if not: 1)",
		Long: `Check that every job that should run does, and that all are healthy. The exit status is 0 if so;
otherwise it is 1, and the reasons are printed. In a Dockerfile: HEALTHCHECK CMD ["cginitctl", "health"]`,
		Args: cobra.NoArgs,
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
