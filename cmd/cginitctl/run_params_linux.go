package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/control"
	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/spf13/cobra"
)

// fill sets the parameters of the call from the flags, the environment and the command.
func (r *runFlags) fill(cmd *cobra.Command, c *control.Client, args []string) (err error) {
	p := &r.p
	p.Process.Args, p.Resources = args, r.limits.Resources()
	p.Timeout, p.Report = r.timeout.Milliseconds(), r.report != ""
	p.KillMode, p.Leftovers, p.StopSignal = string(r.killMode), string(r.leftovers), r.stopSignal.String()
	if cmd.Flags().Changed("stop-grace-period") {
		p.GracePeriod = milliseconds(r.grace)
	}
	if p.Process.Cwd == "" {
		if p.Process.Cwd, err = os.Getwd(); err != nil {
			return fmt.Errorf("cannot find the working directory: %w; set one with --workdir", err)
		}
	}
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool {
		if !utf8.ValidString(kv) {
			name, _, _ := strings.Cut(kv, "=")
			fmt.Fprintf(cmd.ErrOrStderr(), "cginitctl: the variable %q is not UTF-8, so the command does not get it\n",
				name)
			return true
		}
		return false
	})
	home := ""
	if p.Process.User, home, err = r.identity(c); err != nil {
		return err
	}
	if home != "" {
		env = setEnv(env, "HOME="+home)
	}
	for _, kv := range r.env {
		name, _, ok := strings.Cut(kv, "=")
		if name == "" || !ok {
			return fmt.Errorf("--env %s: it must be of the form NAME=VALUE", kv)
		}
		env = setEnv(env, kv)
	}
	p.Process.Env = env
	return nil
}

// setEnv returns env with a variable added or replaced.
func setEnv(env []string, kv string) []string {
	name, _, _ := strings.Cut(kv, "=")
	return append(slices.DeleteFunc(env, func(old string) bool { return strings.HasPrefix(old, name+"=") }), kv)
}

// identity returns the user that the command runs as, and its home directory. Without the flag it is the
// user of cginitctl. That must be said only if the supervisor is root and the user is not; otherwise u is
// nil.
func (r *runFlags) identity(c *control.Client) (u *specs.User, home string, err error) {
	if r.user != "" {
		found, err := config.ParseUser(r.user)
		if err != nil {
			return nil, "", err
		}
		if found.Auto {
			r.p.AutoUser = true
			return nil, found.Home, nil
		}
		return &specs.User{UID: found.UID, GID: found.GID, AdditionalGids: found.Groups}, cmp.Or(found.Home, "/"), nil
	}
	server, err := c.Server()
	if err != nil || server.UID != 0 || os.Geteuid() == 0 {
		return nil, "", err
	}
	u = &specs.User{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())}
	groups, err := os.Getgroups()
	for _, g := range groups {
		u.AdditionalGids = append(u.AdditionalGids, uint32(g))
	}
	return u, "", err
}
