//go:build !linux

package main

import (
	"errors"

	"github.com/spf13/cobra"
)

// newRun returns the command run, which says where it works.
func newRun(*options) *cobra.Command {
	return &cobra.Command{
		Use:                "run",
		Short:              "Run a command as a job of its own (only on Linux, beside the supervisor)",
		DisableFlagParsing: true,
		RunE: func(*cobra.Command, []string) error {
			return failed{errors.New("run works only on Linux, beside the supervisor: the command gets the files, the " +
				"working directory and the user of cginitctl; call it in the container " +
				"(docker exec -it CONTAINER cginitctl run -- COMMAND)"), statusRunFailed}
		},
	}
}
