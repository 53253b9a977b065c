package config

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
)

// Check looks whether what the file names is there: commands that can be executed, working
// directories. It starts nothing. look finds a command in the PATH of an environment, as the
// spawning of a job does. What is wrong is in the error, as in that of [Load].
func (f *File) Check(look func(name string, env []string) (string, error)) error {
	c := &checker{look: look}
	seen := map[*node]bool{} // replicas are alike
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

type checker struct {
	problems
	look func(name string, env []string) (string, error)
}

func (c *checker) check(n *node, spec Spec) {
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

func (c *checker) hooks(n *node, hooks []Hook) {
	for i, h := range hooks {
		step := n.items[i]
		if own := step.get("working_dir"); own != nil {
			c.dir(own, h.Dir)
		}
		c.command(step.get("command"), h.Args, h.Env, h.Dir)
	}
}

// command looks for one as it will be found from its working directory.
func (c *checker) command(n *node, args, env []string, dir string) {
	name := args[0]
	if dir != "" && strings.Contains(name, "/") && !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	if _, err := c.look(name, env); err != nil {
		c.wrong(n, "%v", err)
	}
}

func (c *checker) dir(n *node, dir string) {
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		c.wrong(n, "%s: %v", dir, cause(err))
	case !info.IsDir():
		c.wrong(n, "%s is not a directory", dir)
	}
}
