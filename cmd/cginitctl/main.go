// Command cginitctl controls a cginit supervisor over its control socket. See docs/control.md.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/init/status"
	"github.com/cginit/cginit/internal/release"
	"github.com/spf13/cobra"
)

const (
	version = release.Version

	// statusFailed is the exit status for an error.
	statusFailed = 1
	// statusRunFailed is that of the command run, whose other statuses are those of its command.
	statusRunFailed = status.Failed
)

func main() { os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr)) }

// options are the flags of all commands.
type options struct {
	socket string
	wait   time.Duration
	json   bool
}

// exit is an error that only sets the exit status and prints nothing.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// failed is an error with an exit status other than statusFailed.
type failed struct {
	error
	status int
}

func (f failed) Unwrap() error { return f.error }

// execute runs one command line, and returns the exit status.
func execute(args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	var status exit
	var with failed
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	}
	fmt.Fprintf(stderr, "cginitctl: %v\n", err)
	if errors.As(err, &with) {
		return with.status
	}
	return statusFailed
}

// newRoot returns cginitctl with all of its commands.
func newRoot() *cobra.Command {
	o := &options{}
	root := &cobra.Command{
		Use:           "cginitctl",
		Short:         "Start, stop, freeze and watch the jobs of a cginit supervisor",
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	f := root.PersistentFlags()
	socket := cmp.Or(os.Getenv("CGINIT_SOCKET"), control.DefaultSocket)
	f.StringVar(&o.socket, "socket", socket, "the path of the supervisor's control `socket`, or CGINIT_SOCKET")
	f.DurationVar(&o.wait, "wait", 5*time.Second, "how long to wait for the socket if the supervisor is just starting")
	f.BoolVar(&o.json, "json", false, "print the replies in JSON, as the supervisor sends them")
	root.AddCommand(
		newPs(o), newStatus(o), newTree(o), newEvents(o), newHealth(o),
		newStart(o), newStop(o), newRestart(o), newKill(o), newSignal(o), newFreeze(o), newThaw(o),
		newRun(o), newWait(o), newReload(o), newShutdown(o),
	)
	return root
}

// dial connects to the supervisor.
func (o *options) dial(ctx context.Context) (*control.Client, error) {
	return control.Dial(ctx, o.socket, o.wait)
}

// with calls the supervisor and prints the reply: in JSON if that is asked for, otherwise with print.
func with[R any](
	o *options, cmd *cobra.Command, call func(context.Context, *control.Client) (R, error), print func(R),
) error {
	c, err := o.dial(cmd.Context())
	if err != nil {
		return err
	}
	defer c.Close()
	r, err := call(cmd.Context(), c)
	if err != nil {
		return err
	}
	if o.json {
		return printJSON(cmd.OutOrStdout(), r)
	}
	print(r)
	return nil
}

// printJSON prints v as one line of JSON.
func printJSON(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) }

// jobArgs returns the names of the jobs, for the completion in a shell.
func (o *options) jobArgs(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	c, err := control.Dial(context.Background(), o.socket, 0)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer c.Close()
	r, err := c.List(context.Background(), control.ListParams{})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, j := range r.Jobs {
		names = append(names, cobra.CompletionWithDesc(j.Name, string(j.State)))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
