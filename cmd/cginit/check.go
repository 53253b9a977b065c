package main

import (
	"encoding/json"
	"fmt"
	"os"

	supervisor "github.com/cginit/cginit/init"
	"github.com/cginit/cginit/init/child"
	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/host"
)

// check prints the findings about this container and the problems with the configuration. It starts
// nothing. It returns the exit status: 0, or 1 if a supervisor would not start.
func check(o *config.Options, env []string) int {
	c := configOf(o)
	var wrong error
	if len(o.Config) > 0 {
		f, err := config.Load(o.Config, env, o.Profiles)
		if err == nil {
			err = f.Check(child.LookPath)
			merge(&c, f, o)
		}
		wrong = err
	} else if len(o.Job.Args) > 0 {
		_, wrong = child.LookPath(o.Job.Args[0], o.Job.Env)
	}
	findings, err := host.Check(questionOf(&c))
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
		return failed(fmt.Errorf("cannot write the findings to stdout: %w", err))
	case len(findings.Problems) > 0:
		return 1
	}
	return 0
}

// questionOf is what there is to find out for a supervisor with this configuration.
func questionOf(c *supervisor.Config) host.Question {
	q := host.Question{
		Socket: c.Socket, TakesCalls: c.TakesCalls(), Require: c.Require, BestEffortLimits: c.BestEffortLimits,
	}
	if len(c.Command.Args) > 0 {
		q.Jobs, q.IsCommand = []*config.Spec{&c.Command}, true
	}
	if c.File != nil {
		q.Jobs = append(q.Jobs, c.File.Jobs...)
	}
	return q
}
