package config

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
)

// Check reports the commands that cannot be executed and the working directories that do not exist. It
// starts nothing. look must find a command in the PATH of an environment, as the start of a job does.
// The error is an [Error], as that of [Load] is; nil if nothing is wrong.
func (f *File) Check(look func(name string, env []string) (string, error)) error {
	c := &checker{look: look}
	seen := map[*node]bool{} // the replicas of a service have one node, and are checked once
	for _, spec := range f.Jobs {
		n := f.at[spec.Name]
		if seen[n] {
			continue
		}
		seen[n] = true
		c.check(n, spec)
	}
	return c.err()
}

// checker collects the problems that [File.Check] finds.
type checker struct {
	problems
	look func(name string, env []string) (string, error)
}

// check checks one service or job, which is written at n.
func (c *checker) check(n *node, spec *Spec) {
	if dir := n.get("working_dir"); dir != nil {
		c.dir(dir, spec.Dir)
	}
	c.command(cmp.Or(n.get("entrypoint"), n.get("command"), n), spec.Args, spec.Env, spec.Dir)
	if spec.Health != nil && len(spec.Health.Args) > 0 {
		c.command(n.get("healthcheck").get("test"), spec.Health.Args, spec.Env, spec.Dir)
	}
	c.hooks(n.get("pre_start"), spec.PreStart)
	c.hooks(n.get("post_start"), spec.PostStart)
	c.hooks(n.get("pre_stop"), spec.PreStop)
}

// hooks checks the steps of one kind, which are written in the list n.
func (c *checker) hooks(n *node, hooks []Hook) {
	for i, h := range hooks {
		step := n.items[i]
		if own := step.get("working_dir"); own != nil {
			c.dir(own, h.Dir)
		}
		c.command(step.get("command"), h.Args, h.Env, h.Dir)
	}
}

// command checks that a command is found. A relative path is looked up from the working directory dir.
func (c *checker) command(n *node, args, env []string, dir string) {
	name := args[0]
	if dir != "" && strings.Contains(name, "/") && !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	if _, err := c.look(name, env); err != nil {
		c.wrong(n, "%v", err)
	}
}

// dir checks that a working directory exists.
func (c *checker) dir(n *node, dir string) {
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		c.wrong(n, "%s: %v", dir, cause(err))
	case !info.IsDir():
		c.wrong(n, "%s is not a directory", dir)
	}
}
