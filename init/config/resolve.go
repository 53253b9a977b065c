package config

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"

	"github.com/moby/sys/user"
)

// The bounds of what replicas and files of variables can make of a small file.
const (
	maxSpecs = 10_000
	maxEnv   = 32 << 20 // bytes of all environments
)

// resolver makes specs of drafts.
type resolver struct {
	*problems
	env, profiles []string
	inherited     []string // of env, what jobs get
	dir           string   // what relative paths are relative to
	file          *File
	envBytes      int
}

func (r *resolver) resolve(top *node, drafts []draft) {
	if top.get("services") == nil && top.get("jobs") == nil && len(r.list) == 0 {
		r.wrongAll(top, "there are neither services nor jobs")
	}
	byName := make(map[string]*draft, len(drafts))
	var chosen []*draft
	for i := range drafts {
		d := &drafts[i]
		if !IsName(d.Name) {
			r.wrongAll(d.node, "%s", NameRule)
		}
		if other := byName[d.Name]; other != nil {
			r.wrongAll(d.node, "the name is that of %s too", other.node.path())
		}
		byName[d.Name] = d
		if d.enabled(r.profiles) {
			chosen = append(chosen, d)
			r.finish(d)
		}
	}
	if len(chosen) == 0 && len(r.list) == 0 {
		r.wrongAll(top, "there is nothing to run: no service or job is selected by its profiles")
	}
	r.link(chosen, byName)
	r.expand(chosen)
}

// IsName tells whether a job can be called so: a name is that of a cgroup, and a word on command
// lines.
func IsName(s string) bool {
	for i := range len(s) {
		if !isNameByte(s[i], false) && (i == 0 || s[i] != '-' && s[i] != '.') {
			return false
		}
	}
	return s != "" && len(s) <= maxName
}

const maxName = 200

// NameRule is what [IsName] wants, for a person.
var NameRule = fmt.Sprintf("a name has letters, digits, _ - . only, begins with one of the first three, and is not longer than %d", maxName)

// finish puts together what several keys say about one job.
func (r *resolver) finish(d *draft) {
	r.finishUser(d)
	r.finishEnv(d)
	d.Args = append(append([]string{}, d.entrypoint...), d.command...)
	given := d.node.get("command") != nil || d.node.get("entrypoint") != nil
	switch {
	case len(d.Args) > 0 && d.Args[0] != "":
	case !given && r.at(d.node): // a key that is not known may be meant
	case !given:
		r.wrongAll(d.node, `it has no command; add one, such as command: ["sleep", "inf"]`)
	case !r.has(d.node.get("command")) && !r.has(d.node.get("entrypoint")):
		r.wrongAll(d.node, "its command is empty")
	}
	d.PreStart, d.PostStart, d.PreStop = r.steps(d, d.preStart), r.steps(d, d.postStart), r.steps(d, d.preStop)
	d.limits.apply(r.problems, d)
	r.checkJob(d)
}

func (r *resolver) checkJob(d *draft) {
	if !d.Service {
		if d.Restart.Policy == RestartAlways {
			r.wrong(d.policy.node, "a job runs to its end; what is to run again and again is a service")
		}
		if d.copies.node != nil {
			r.wrong(d.copies.node, "a job has no replicas")
		}
	}
	if d.OnUnhealthy == UnhealthyRestart && d.node.get("healthcheck") == nil {
		r.wrong(d.node.get("on_unhealthy"), "without a healthcheck it can never be unhealthy")
	}
}

func (r *resolver) finishUser(d *draft) {
	if d.user != nil {
		d.User = r.user(d.user)
	}
	if len(d.groups) == 0 {
		return
	}
	names := make([]string, 0, len(d.groups))
	for _, n := range d.groups {
		names = append(names, n.text)
	}
	ids, err := user.GetAdditionalGroupsPath(names, "/etc/group")
	if err != nil {
		r.wrong(d.groups[0], "%v", err)
		return
	}
	slices.Sort(ids) // they come in any order, and a reload compares
	if d.User == nil {
		d.User = ourselves()
	}
	for _, id := range ids {
		d.User.Groups = append(d.User.Groups, uint32(id))
	}
}

// ourselves is the supervisor's own user, for a job that is to have more groups.
func ourselves() *User {
	u := &User{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid()), Home: "/"}
	groups, _ := os.Getgroups()
	for _, g := range groups {
		u.Groups = append(u.Groups, uint32(g))
	}
	return u
}

func (r *resolver) user(n *node) *User {
	u, err := ParseUser(n.text)
	if err != nil {
		r.wrong(n, "%v", err)
	}
	return u
}

// finishEnv makes the environment: ours, HOME of its user, the files, the variables.
func (r *resolver) finishEnv(d *draft) {
	if r.envBytes > maxEnv {
		return
	}
	e := newEnviron(r.inherited)
	if d.user != nil && d.User != nil {
		e.set("HOME", d.User.Home)
	}
	for _, f := range d.envFiles {
		f.load(r.problems, e, r.dir, r.env)
	}
	e.apply(d.vars, r.env)
	d.Env = r.count(d.node, e.strings())
}

// count bounds the environments of all jobs together.
func (r *resolver) count(n *node, env []string) []string {
	before := r.envBytes
	for _, kv := range env {
		r.envBytes += len(kv)
	}
	switch {
	case r.envBytes <= maxEnv:
		return env
	case before <= maxEnv:
		r.wrongAll(n, "the environments of all services together have more than %d bytes", maxEnv)
	}
	return nil
}

// steps makes the hooks: what they do not say is as in the job.
func (r *resolver) steps(d *draft, hooks []hook) []Hook {
	var made []Hook
	for _, h := range hooks {
		step := Hook{Args: h.command, Env: d.Env, Dir: cmp.Or(h.dir, d.Dir), User: d.User, Timeout: h.timeout}
		if h.user != nil {
			step.User = r.user(h.user)
		}
		if (h.user != nil || h.vars != nil) && r.envBytes <= maxEnv {
			step.Env = r.stepEnv(d, h, step.User)
		}
		made = append(made, step)
	}
	return made
}

// stepEnv returns the environment of a step that has a user or variables of its own: that of its
// job, with HOME of the user and the variables put in.
func (r *resolver) stepEnv(d *draft, h hook, u *User) []string {
	e := newEnviron(d.Env)
	if h.user != nil && u != nil {
		e.set("HOME", u.Home)
	}
	e.apply(h.vars, r.env)
	return r.count(d.node, e.strings())
}

// expand makes the specs: one of each draft, or as many as it has replicas.
func (r *resolver) expand(chosen []*draft) {
	names := map[string]*draft{}
	r.file.at = map[string]*node{}
	for _, d := range chosen {
		for _, name := range d.names() {
			switch other := names[name]; {
			case other == nil:
			case other.Name == d.Name: // which has been said
				continue
			case d.Name == name:
				r.wrongAll(d.node, "the name is that of a replica of %s too", other.node.path())
			default:
				r.wrongAll(d.node, "its replica %q has the name of %s", name, other.node.path())
			}
			names[name] = d
			if len(r.file.Jobs) == maxSpecs {
				r.wrongAll(d.node, "there are more than %d services, replicas counted", maxSpecs)
				return
			}
			spec := d.Spec
			if spec.Name = name; name != d.Name {
				spec.Scaled = d.Name
			}
			r.file.Jobs = append(r.file.Jobs, spec)
			r.file.at[name] = d.node
		}
	}
}

// names are those of its specs.
func (d *draft) names() []string {
	if d.copies.node == nil || d.copies.value == 1 {
		return []string{d.Name}
	}
	names := make([]string, d.copies.value)
	for i := range names {
		names[i] = d.Name + "-" + strconv.Itoa(i+1)
	}
	return names
}
