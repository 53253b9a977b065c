package main

import (
	"context"
	"fmt"

	"github.com/cginit/cginit/init/control"
	"github.com/spf13/cobra"
)

// newPs returns the command ps.
func newPs(o *options) *cobra.Command {
	return &cobra.Command{
		Use:               "ps [JOB...]",
		Short:             "List jobs with their state",
		ValidArgsFunction: o.jobArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return with(o, cmd, func(ctx context.Context, c *control.Client) (*control.ListReply, error) {
				return c.List(ctx, control.ListParams{Jobs: args})
			}, func(r *control.ListReply) { table(cmd.OutOrStdout(), rows(r.Jobs)) })
		},
	}
}

// rows returns the table of jobs, with its heading.
func rows(jobs []control.Job) [][]string {
	rows := [][]string{{"JOB", "STATE", "HEALTH", "RUN", "PID", "SINCE", "RESTARTS", "SAYS", "COMMAND"}}
	for _, j := range jobs {
		since := j.Started
		if j.Ended != nil && j.State == control.Ended {
			since = j.Ended
		}
		rows = append(rows, []string{
			j.Name, stateOf(j), orDash(j.Health), orDash(j.Run), orDash(j.Pid), ago(since),
			fmt.Sprint(j.Restarts), orDash(short(printable(j.Status))), command(j.Command),
		})
	}
	return rows
}
