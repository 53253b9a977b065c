package main

import (
	"context"
	"fmt"
	"io"

	"github.com/cginit/cginit/init/control"
	"github.com/spf13/cobra"
)

// newTree returns the command tree.
func newTree(o *options) *cobra.Command {
	return &cobra.Command{
		Use:               "tree [JOB...]",
		Short:             "Show jobs with the trees of their processes",
		ValidArgsFunction: o.jobArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return with(o, cmd, func(ctx context.Context, c *control.Client) (*control.ListReply, error) {
				return c.List(ctx, control.ListParams{Jobs: args, Processes: true})
			}, func(r *control.ListReply) {
				for _, j := range r.Jobs {
					fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", j.Name, stateOf(j))
					printProcesses(cmd.OutOrStdout(), j)
				}
			})
		},
	}
}

// printProcesses draws each process of a job below its parent. A process whose parent is not in the job is
// at the top: the main process, and orphans that process 1 has adopted.
func printProcesses(w io.Writer, j control.Job) {
	children, listed := map[int][]control.Process{}, map[int]bool{}
	for _, p := range j.Processes {
		listed[p.Pid] = true
	}
	for _, p := range j.Processes {
		parent := p.PPid
		if !listed[parent] || parent == p.Pid {
			parent = 0
		}
		children[parent] = append(children[parent], p)
	}
	drawn := map[int]bool{}
	var draw func(of int, indent string)
	draw = func(of int, indent string) {
		for i, p := range children[of] {
			if drawn[p.Pid] { // the list was not read in one instant, so parents can form a circle
				continue
			}
			drawn[p.Pid] = true
			branch, below := "├─ ", "│  "
			if i == len(children[of])-1 {
				branch, below = "└─ ", "   "
			}
			fmt.Fprintf(w, "%s%s%d %s %s\n", indent, branch, p.Pid, orDash(p.State), printable(p.Command))
			draw(p.Pid, indent+below)
		}
	}
	draw(0, "")
	if j.Omitted > 0 {
		fmt.Fprintf(w, "and %d more processes\n", j.Omitted)
	}
}
