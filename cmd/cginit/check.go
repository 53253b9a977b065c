package main

import (
	"fmt"
	"os"

	supervisor "github.com/cginit/cginit/init"
	"github.com/cginit/cginit/init/config"
)

// check says what is wrong with the configuration, and starts nothing.
func check(o *config.Options, env []string) int {
	if len(o.Config) == 0 {
		return 0
	}
	f, err := config.Load(o.Config, env, o.Profiles)
	if err == nil {
		err = f.Check(supervisor.LookPath)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%v\n", err)
		return 1
	}
	fmt.Printf("%v: %d services and jobs, nothing is wrong\n", o.Config, len(f.Jobs))
	return 0
}
