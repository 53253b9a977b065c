package main

import (
	"context"
	"fmt"
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/spf13/cobra"
)

// newStatus returns the command status.
func newStatus(o *options) *cobra.Command {
	return &cobra.Command{
		Use:               "status JOB",
		Short:             "Show one job: its state, its processes, and how its last run ended",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.jobArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return with(o, cmd, func(ctx context.Context, c *control.Client) (*control.StatusReply, error) {
				return c.Status(ctx, control.StatusParams{Job: args[0]})
			}, func(r *control.StatusReply) { printStatus(cmd, r) })
		},
	}
}

// printStatus prints what is known about one job.
func printStatus(cmd *cobra.Command, r *control.StatusReply) {
	w, j := cmd.OutOrStdout(), r.Job
	lines := [][]string{{"job", j.Name + " (" + j.Kind + ")"}, {"state", stateOf(j)}}
	add := func(name, value string) {
		if value != "" && value != "-" {
			lines = append(lines, []string{name, value})
		}
	}
	stamp := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.Local().Format(time.RFC3339) + " (" + ago(t) + " ago)"
	}
	add("health", string(j.Health))
	add("says", printable(j.Status))
	add("command", command(j.Command))
	add("run", orDash(j.Run))
	add("pid", orDash(j.Pid))
	add("started", stamp(j.Started))
	add("ready", stamp(j.Ready))
	add("ended", stamp(j.Ended))
	if j.Next != nil {
		add("next", j.Next.Local().Format(time.RFC3339))
	}
	add("restarts", orDash(j.Restarts))
	add("containment", j.Containment)
	if j.Leased {
		add("lease", "it ends when the client that started it disconnects")
	}
	table(w, lines)
	printProcesses(w, j)
	if r.Receipt != nil {
		fmt.Fprintln(w, "\nlast run that ended:")
		receipts(w, []control.Receipt{*r.Receipt})
	}
}
