package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/spf13/cobra"
)

// reloadTimeout is how long jobs may take to reload, unless a flag says otherwise. It is systemd's limit.
const reloadTimeout = 90 * time.Second

// newReload returns the command reload.
func newReload(o *options) *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "reload [JOB...]",
		Short: "Without JOB: read cginit's file again; with JOB: make these jobs reload their own configuration",
		Long: `Without JOB, cginit reads its own configuration files again, and starts, stops and restarts jobs as they have
changed.

With JOB, no file of cginit is read: each of these jobs is sent its reload_signal (a key of the file), so that it
reads its own configuration again. A job that says so itself (RELOADING=1 of sd_notify) is waited for until it has
reloaded (READY=1). One that does not say so within a second is waited for no longer. A job that ends instead makes
the command fail. The exit status is 124 when the time is up.`,
		ValidArgsFunction: o.jobArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) > 0:
				return reloadJobs(o, cmd, args, timeout)
			case cmd.Flags().Changed("timeout"):
				return errors.New("--timeout is for jobs; name one, or leave it out to read cginit's file again")
			}
			return reloadFile(o, cmd)
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", reloadTimeout, "the longest time to wait for jobs; 0: no limit")
	return cmd
}

// reloadFile has the supervisor read its file again.
func reloadFile(o *options, cmd *cobra.Command) error {
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
}

// reloadJobs makes jobs reload.
func reloadJobs(o *options, cmd *cobra.Command, jobs []string, timeout time.Duration) error {
	p := control.ReloadJobsParams{Jobs: jobs}
	if timeout > 0 {
		p.Timeout = milliseconds(timeout)
	}
	err := with(o, cmd, func(ctx context.Context, c *control.Client) (*control.ReloadJobsReply, error) {
		return c.ReloadJobs(ctx, p)
	}, func(r *control.ReloadJobsReply) {
		for _, name := range r.Reloaded {
			fmt.Fprintf(cmd.OutOrStdout(), "%s: has reloaded\n", name)
		}
		for _, name := range r.Signalled {
			fmt.Fprintf(cmd.OutOrStdout(), "%s: was sent its reload_signal, and does not say when it has reloaded\n", name)
		}
	})
	return timedOut(err)
}
