package main

import (
	"encoding/json"
	"fmt"
	"os"

	supervisor "github.com/cginit/cginit/init"
	"github.com/cginit/cginit/init/config"
)

// check says what can be guaranteed here, and what is wrong with the configuration. It starts
// nothing. The exit status is 1 where a supervisor would not start.
func check(o *config.Options, env []string) int {
	c := configOf(o)
	var wrong error
	if len(o.Config) > 0 {
		f, err := config.Load(o.Config, env, o.Profiles)
		if err == nil {
			err = f.Check(supervisor.LookPath)
			merge(&c, f, o)
		}
		wrong = err
	} else if len(o.Job.Args) > 0 {
		_, wrong = supervisor.LookPath(o.Job.Args[0], o.Job.Env)
	}
	findings, err := supervisor.Check(c)
	if err != nil {
		return failed(err)
	}
	if wrong != nil {
		findings.Problems = append(findings.Problems, wrong.Error())
	}
	if o.JSON {
		to := json.NewEncoder(os.Stdout)
		to.SetEscapeHTML(false)
		to.SetIndent("", "  ")
		err = to.Encode(findings)
	} else {
		err = printFindings(os.Stdout, findings)
	}
	switch {
	case err != nil:
		return failed(fmt.Errorf("cannot write what was found: %w", err))
	case len(findings.Problems) > 0:
		return 1
	}
	return 0
}
