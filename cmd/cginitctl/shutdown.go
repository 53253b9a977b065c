package main

import (
	"github.com/spf13/cobra"
)

func newShutdown(o *options) *cobra.Command {
	var noWait bool
	cmd := &cobra.Command{
		Use:   "shutdown",
		Short: "Stop all jobs and end the supervisor; returns when it has ended",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := o.dial(cmd.Context())
			if err != nil {
				return err
			}
			defer c.Close()
			if err := c.Shutdown(cmd.Context()); err != nil || noWait {
				return err
			}
			return c.Gone(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&noWait, "no-wait", false, "return when it has begun")
	return cmd
}
