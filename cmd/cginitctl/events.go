package main

import (
	"fmt"
	"io"
	"os/signal"
	"syscall"

	"github.com/cginit/cginit/init/control"
	"github.com/spf13/cobra"
)

// newEvents returns the command events.
func newEvents(o *options) *cobra.Command {
	var p control.EventsParams
	var since int
	var follow bool
	cmd := &cobra.Command{
		Use:               "events [JOB...]",
		Short:             "Print the events of jobs, until interrupted",
		ValidArgsFunction: o.jobArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			p.Jobs = args
			if cmd.Flags().Changed("since") || !follow {
				p.Since = &since
			}
			return o.events(cmd, p, follow)
		},
	}
	cmd.Flags().IntVar(&since, "since", 0,
		"begin after the event with this `number`; 0: with the oldest one that is kept")
	cmd.Flags().BoolVar(&follow, "follow", true,
		"wait for further events; false: print those that have happened, and end")
	return cmd
}

// events prints the events that have happened, and, if follow is true, those that happen from now on.
func (o *options) events(cmd *cobra.Command, p control.EventsParams, follow bool) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	c, err := o.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if !follow {
		r, err := c.History(ctx, p)
		if err != nil {
			return err
		}
		return o.printEvents(cmd, r)
	}
	for r, err := range c.Events(ctx, p) {
		if ctx.Err() != nil {
			return nil // the user interrupted it
		}
		if err != nil {
			return err
		}
		if err := o.printEvents(cmd, r); err != nil {
			return err
		}
	}
	return nil
}

// printEvents prints the events of one reply, and says how many came before them.
func (o *options) printEvents(cmd *cobra.Command, r *control.EventsReply) error {
	if r.Missed > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "cginitctl: %d earlier events are no longer kept, and so are not shown\n",
			r.Missed)
	}
	for _, e := range r.Events {
		if o.json {
			if err := printJSON(cmd.OutOrStdout(), e); err != nil {
				return err
			}
			continue
		}
		if err := printEvent(cmd.OutOrStdout(), e); err != nil {
			return err
		}
	}
	return nil
}

// printEvent prints one event as a line of text.
func printEvent(w io.Writer, e control.Event) error {
	what := e.Message
	switch {
	case e.Receipt != nil:
		what = receiptLine(*e.Receipt)
	case e.Frozen != nil && *e.Frozen:
		what = e.Job + ": frozen"
	case e.Frozen != nil:
		what = e.Job + ": thawed"
	case e.Health != "":
		what = e.Job + ": " + string(e.Health)
	case e.State != "":
		what = e.Job + ": " + string(e.State)
	}
	_, err := fmt.Fprintf(w, "%d %s %s %s\n", e.Seq, e.Time.Local().Format("15:04:05.000"), e.Kind, printable(what))
	return err
}
