package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/cginit/cginit/init/control"
	"github.com/spf13/cobra"
)

func newReload(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "reload",
		Short: "Make the supervisor read its configuration again and do what has changed",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return with(o, cmd, func(ctx context.Context, c *control.Client) (*control.ReloadReply, error) {
				return c.Reload(ctx)
			}, func(r *control.ReloadReply) {
				for what, jobs := range map[string][]string{"added": r.Added, "removed": r.Removed, "changed": r.Changed} {
					if len(jobs) > 0 {
						fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", what, strings.Join(jobs, " "))
					}
				}
			})
		},
	}
}
