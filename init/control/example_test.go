package control_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/cginit/cginit/init/control"
)

// Example runs a command as a job of its own. The command has our stdin, stdout and stderr. It is torn
// down when this process ends.
func Example() {
	run := func(ctx context.Context) error {
		c, err := control.Dial(ctx, control.DefaultSocket, 5*time.Second)
		if err != nil {
			return err
		}
		defer c.Close() // and with it the lease
		var p control.RunParams
		p.Process.Args, p.Timeout = []string{"/bin/sh", "-c", "echo hello"}, 10_000
		lease, err := c.Run(ctx, p, os.Stdin, os.Stdout, os.Stderr)
		if err != nil {
			return err
		}
		last, err := lease.Wait()
		if err != nil {
			return err
		}
		fmt.Println("status", *last.ExitStatus)
		return nil
	}
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
