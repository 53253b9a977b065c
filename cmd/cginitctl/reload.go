package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/cginit/cginit/init/control"
	"github.com/spf13/cobra"
)

// newReload returns the command reload.
func newReload(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "reload",
		Short: "Read the configuration files again, and apply what has changed",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return with(o, cmd, func(ctx context.Context, c *control.Client) (*control.ReloadReply, error) {
				return c.Reload(ctx)
			}, func(r *control.ReloadReply) {
				changes := map[string][]string{"added": r.Added, "removed": r.Removed, "changed": r.Changed}
				for what, jobs := range changes {
					if len(jobs) > 0 {
						fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", what, strings.Join(jobs, " "))
					}
				}
			})
		},
	}
}
