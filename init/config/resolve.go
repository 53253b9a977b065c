package config

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"

	"github.com/moby/sys/user"
)

// A small file can ask for much by replicas and by files of variables. These bounds refuse it.
const (
	maxSpecs = 10_000
	maxEnv   = 32 << 20 // bytes of all environments together
)

// resolver makes the specs of a File from drafts.
type resolver struct {
	*problems
	env, profiles []string
	inherited     []string // the variables of env that jobs get
	plain         []string // the environment of all jobs that add nothing to inherited
	dir           string   // the folder that relative paths start from
	file          *File
	envBytes      int // the length of all environments so far
}

// resolve makes the specs of all drafts that are enabled. top is the file as a whole.
func (r *resolver) resolve(top *node, drafts []draft) {
	if top.get("services") == nil && top.get("jobs") == nil && len(r.list) == 0 {
		r.wrongAll(top, "the file has neither services nor jobs")
	}
	byName := make(map[string]*draft, len(drafts))
	var chosen []*draft
	for i := range drafts {
		d := &drafts[i]
		if !IsName(d.Name) {
			r.wrongAll(d.node, "%s", NameRule)
		}
		if other := byName[d.Name]; other != nil {
			r.wrongAll(d.node, "%s has the same name; rename one of the two", other.node.path())
		}
		byName[d.Name] = d
		if d.enabled(r.profiles) {
			chosen = append(chosen, d)
			r.finish(d)
		}
	}
	if len(chosen) == 0 && len(r.list) == 0 {
		r.wrongAll(top,
			"there is nothing to run: all services and jobs have profiles, and none is selected (--profile)")
	}
	r.link(chosen, byName)
	r.expand(chosen)
}

// IsName reports whether s can be the name of a job. The name is used for cgroups and on command lines.
// The rule is NameRule.
func IsName(s string) bool {
	for i := range len(s) {
		if !isNameByte(s[i], false) && (i == 0 || s[i] != '-' && s[i] != '.') {
			return false
		}
	}
	return s != "" && len(s) <= maxName
}

// maxName bounds the length of a job's name, in bytes.
const maxName = 200

// NameRule is the rule of [IsName], for a message.
var NameRule = fmt.Sprintf("a name must consist of letters, digits, _ - and . only, must not begin with - or ., "+
	"and must not be longer than %d", maxName)

// finish completes the Spec of one draft from the keys that depend on each other.
func (r *resolver) finish(d *draft) {
	r.finishUser(d)
	d.SealAuto = r.file.Seal == "auto" && d.node.get("seal") == nil
	r.finishEnv(d)
	d.Args = slices.Concat(d.entrypoint, d.command)
	given := d.node.get("command") != nil || d.node.get("entrypoint") != nil
	switch {
	case len(d.Args) > 0 && d.Args[0] != "":
	case !given && r.at(d.node): // an unknown key was reported, which may be a misspelt command
	case !given:
		r.wrongAll(d.node, `the command is missing; add one, such as command: ["sleep", "inf"]`)
	case !r.has(d.node.get("command")) && !r.has(d.node.get("entrypoint")):
		r.wrongAll(d.node, "the command is empty")
	}
	d.ConsultTable()
	d.PreStart, d.PostStart, d.PreStop = r.steps(d, d.preStart), r.steps(d, d.postStart), r.steps(d, d.preStop)
	d.limits.apply(r.problems, d)
	r.checkJob(d)
}

// checkJob reports keys that contradict each other, or the kind of the job.
func (r *resolver) checkJob(d *draft) {
	if !d.Service {
		if d.Restart.Policy == RestartAlways {
			r.wrong(d.policy.node, "a job runs to its end; put it under services if it must run again and again")
		}
		if d.copies.node != nil {
			r.wrong(d.copies.node, "a job cannot have replicas; remove this")
		}
	}
	if d.ReloadSignal != 0 && d.ReloadSignal == d.StopSignal {
		r.wrong(d.node.get("reload_signal"), "%s is its stop_signal too; the two must differ", SignalName(d.StopSignal))
	}
	if d.OnUnhealthy == UnhealthyRestart && d.node.get("healthcheck") == nil {
		r.wrong(d.node.get("on_unhealthy"), "without a healthcheck it can never be unhealthy; add one")
	}
}

// finishUser sets the user, with the groups of group_add.
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
	slices.Sort(ids) // the library returns them in any order, and a reload compares the specs
	if d.User == nil {
		d.User = ourselves()
	}
	for _, id := range ids {
		d.User.Groups = append(d.User.Groups, uint32(id))
	}
}

// ourselves returns the supervisor's own user, for a job that only adds groups.
func ourselves() *User {
	u := &User{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid()), Home: "/"}
	groups, _ := os.Getgroups()
	for _, g := range groups {
		u.Groups = append(u.Groups, uint32(g))
	}
	return u
}

// user returns the user that a node names; nil if there is a problem.
func (r *resolver) user(n *node) *User {
	u, err := ParseUser(n.text)
	if err != nil {
		r.wrong(n, "%v", err)
	}
	return u
}

// finishEnv sets the environment: what is inherited, HOME of the user, the files of variables, and the
// variables. Later ones win.
func (r *resolver) finishEnv(d *draft) {
	if r.envBytes > maxEnv {
		return
	}
	if d.user == nil && len(d.envFiles)+len(d.vars) == 0 {
		if r.plain == nil {
			r.plain = newEnviron(r.inherited).strings()
		}
		d.Env = r.count(d.node, r.plain)
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

// count returns env, or nil and a problem if all environments together have become too long.
func (r *resolver) count(n *node, env []string) []string {
	before := r.envBytes
	for _, kv := range env {
		r.envBytes += len(kv)
	}
	switch {
	case r.envBytes <= maxEnv:
		return env
	case before <= maxEnv:
		r.wrongAll(n, "the environments of all services and jobs together are longer than %d bytes", maxEnv)
	}
	return nil
}

// steps returns the steps of one kind. They inherit from the job what they do not set.
func (r *resolver) steps(d *draft, hooks []hook) []Hook {
	var made []Hook
	for _, h := range hooks {
		step := Hook{Args: h.command, Env: d.Env, Dir: cmp.Or(h.dir, d.Dir), User: d.User, Timeout: h.timeout, Seal: h.seal}
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

// stepEnv returns the environment of a step that has a user or variables of its own: the environment
// of its job, with HOME of the user and the variables replaced.
func (r *resolver) stepEnv(d *draft, h hook, u *User) []string {
	e := newEnviron(d.Env)
	if h.user != nil && u != nil {
		e.set("HOME", u.Home)
	}
	e.apply(h.vars, r.env)
	return r.count(d.node, e.strings())
}

// expand adds the specs to the File: one for each draft, or one for each replica.
func (r *resolver) expand(chosen []*draft) {
	names := map[string]*draft{}
	r.file.at = map[string]*node{}
	for _, d := range chosen {
		for _, name := range d.names() {
			switch other := names[name]; {
			case other == nil:
			case other.Name == d.Name: // resolve has reported it
				continue
			case d.Name == name:
				r.wrongAll(d.node, "a replica of %s has the same name; rename one of the two", other.node.path())
			default:
				r.wrongAll(d.node, "its replica %q has the same name as %s; rename one of the two", name,
					other.node.path())
			}
			names[name] = d
			if len(r.file.Jobs) == maxSpecs {
				r.wrongAll(d.node, "there are more than %d services and jobs, replicas counted", maxSpecs)
				return
			}
			spec := d.Spec
			if spec.Name = name; name != d.Name {
				spec.Scaled = d.Name
			}
			r.file.Jobs = append(r.file.Jobs, &spec)
			r.file.at[name] = d.node
		}
	}
}

// names returns the names of the specs of a draft.
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
