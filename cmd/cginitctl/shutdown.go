package main

import "github.com/spf13/cobra"

// newShutdown returns the command shutdown.
func newShutdown(o *options) *cobra.Command {
	var noWait bool
	cmd := &cobra.Command{
		Use:   "shutdown",
		Short: "Stop all jobs and end the supervisor, and wait until it has ended",
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
	cmd.Flags().BoolVar(&noWait, "no-wait", false, "return when the shutdown has begun")
	return cmd
}
