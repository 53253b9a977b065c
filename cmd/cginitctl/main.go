// Command cginitctl tells a cginit supervisor what to do, over its control socket. See
// docs/control.md.
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
	"github.com/spf13/cobra"
)

const (
	version = "0.1.0"

	statusFailed = 1
	// statusRunFailed is run's when cginitctl or the supervisor failed, and not the command.
	statusRunFailed = status.Failed
)

func main() { os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr)) }

// options are the flags that all commands have.
type options struct {
	socket string
	wait   time.Duration
	json   bool
}

// exit is an exit status that needs no further words.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// failed is an error with an exit status of its own.
type failed struct {
	error
	status int
}

func (f failed) Unwrap() error { return f.error }

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
	f.StringVar(&o.socket, "socket", cmp.Or(os.Getenv("CGINIT_SOCKET"), control.DefaultSocket), "the supervisor's control `socket` (CGINIT_SOCKET)")
	f.DurationVar(&o.wait, "wait", 5*time.Second, "how long to wait for the socket while the supervisor starts")
	f.BoolVar(&o.json, "json", false, "print JSON, as it is on the wire")
	root.AddCommand(
		newPs(o), newStatus(o), newTree(o), newEvents(o), newHealth(o),
		newStart(o), newStop(o), newRestart(o), newKill(o), newSignal(o), newFreeze(o), newThaw(o),
		newRun(o), newWait(o), newReload(o), newShutdown(o),
	)
	return root
}

func (o *options) dial(ctx context.Context) (*control.Client, error) {
	return control.Dial(ctx, o.socket, o.wait)
}

// with calls the supervisor and prints the reply: as JSON, or as print does.
func with[R any](o *options, cmd *cobra.Command, call func(context.Context, *control.Client) (R, error), print func(R)) error {
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

func printJSON(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) }

// jobArgs completes the names of jobs for the shell.
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
