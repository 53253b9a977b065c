// Rooms measures the structure of a module's code and compares it with limits. It prints a table
// for people or, with -json, one object for programs. It exits with 1 if a limit is exceeded and
// with 2 if the code cannot be measured.
//
// Rooms measures non-test files only, as they are built for Linux; the lines of tests are only
// counted. The names and the limits of the figures are in limits.go.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with its arguments and outputs given. It returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("rooms", flag.ContinueOnError)
	flags.SetOutput(stderr)
	asJSON := flags.Bool("json", false, "print one JSON object")
	onlyPrint := flags.Bool("only-print", false, "exit with 0 even if a limit is exceeded")
	if flags.Parse(args) != nil {
		return 2
	}
	root := "."
	if flags.NArg() > 0 {
		root = flags.Arg(0)
	}
	report, err := Measure(root)
	if err == nil {
		err = report.write(stdout, *asJSON)
	}
	if err != nil {
		fmt.Fprintln(stderr, "rooms:", err)
		return 2
	}
	if report.OK || *onlyPrint {
		return 0
	}
	return 1
}
