package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/sys/capability"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// identityKeys are the keys about the user and the rights of a job.
func identityKeys() []*field {
	return []*field{
		key("user", "the user that runs it: NAME|UID[:GROUP|GID], or auto for a uid that nothing else has", located(),
			func(d *draft) **node { return &d.user }),
		key("group_add", "groups in addition to those of the user, by name or number", listOf(located()),
			func(d *draft) *[]*node { return &d.groups }),
		umaskKey(),
		key("cap_add", "capabilities that it gets, such as NET_BIND_SERVICE, or ALL; cginit must have them itself",
			listOf(capabilityName()),
			func(d *draft) *[]string { return &d.CapAdd }),
		key("cap_drop", "capabilities that it does not get, or ALL", listOf(capabilityName()),
			func(d *draft) *[]string { return &d.CapDrop }),
		key("security_opt", "no-new-privileges[:true|false]: executing a program cannot give it more rights",
			securityOpt(),
			func(d *draft) *bool { return &d.NoNewPrivileges }),
		key("seal", "true: it can neither signal nor trace other jobs and cginit, nor write to the cgroup tree, nor mount "+
			"(Landlock)", boolean(),
			func(d *draft) *bool { return &d.Seal }),
		keyTo("oom_score_adj", "how soon the kernel kills it when memory is short, from -1000 (never) to 1000",
			count(-1000, 1000),
			func(_ *problems, _ *node, d *draft, n int) { d.OOMScoreAdj = &n }),
		key("ulimits", "resource limits by name, such as nofile; a number, or a mapping of soft and hard", ulimits(),
			func(d *draft) *[]specs.POSIXRlimit { return &d.Rlimits }),
	}
}

// umaskKey reads octal digits with a leading zero, since 22 and 022 are easy to confuse.
func umaskKey() *field {
	umask := parsed(schemaNumber, func(s string) (uint32, error) {
		n, err := strconv.ParseUint(strings.TrimPrefix(s, "0o"), 8, 32)
		if err != nil || n > 0o777 || !strings.HasPrefix(s, "0") {
			return 0, fmt.Errorf("%q is not a file mode mask; write it in octal from 0 to 0777, with a zero before "+
				"it, such as 022", s)
		}
		return uint32(n), nil
	})
	umask.nullable = true
	return keyTo("umask", "the file mode mask, in octal, such as 022", umask,
		func(_ *problems, _ *node, d *draft, n uint32) { d.Umask = &n })
}

// capabilityName reads the name of a capability, in any case and with or without CAP_.
func capabilityName() value[string] {
	return quoted(schemaText, func(s string) (string, error) {
		name, known := strings.TrimPrefix(strings.ToUpper(s), "CAP_"), knownCapabilities()
		switch {
		case name == "ALL":
			return name, nil
		case slices.Contains(known, name):
			return "CAP_" + name, nil
		}
		return "", fmt.Errorf("unknown capability %q%s", s, didYouMean(name, known))
	})
}

// knownCapabilities returns the names of all capabilities, in upper case and without CAP_.
func knownCapabilities() []string {
	all := capability.ListKnown()
	known := make([]string, len(all))
	for i, c := range all {
		known[i] = strings.ToUpper(c.String())
	}
	return known
}

// securityOpt reads a list of options. Only no-new-privileges is about processes; the last one wins.
func securityOpt() value[bool] {
	options := listOf(quoted(schemaText, func(s string) (bool, error) {
		name, on, _ := strings.Cut(strings.Replace(s, "=", ":", 1), ":")
		switch {
		case name != "no-new-privileges":
			return false, fmt.Errorf("%q %sset it where the container is started; the only option here is "+
				"no-new-privileges", s, belongsToContainer)
		case on != "" && on != "true" && on != "false":
			return false, fmt.Errorf("%q: no-new-privileges must be true or false", s)
		}
		return on != "false", nil
	}))
	return value[bool]{options.shape, func(p *problems, n *node) (bool, bool) {
		values, ok := options.read(p, n)
		return len(values) > 0 && values[len(values)-1], ok
	}}
}

// ulimitNames returns the resource limits that ulimits takes, in alphabetical order. Docker refuses
// "as" there too: a limit of the address space would stop the exec helper, a Go program, and not the
// command.
func ulimitNames() []string {
	names := slices.DeleteFunc(slices.Clone(Rlimits), func(name string) bool { return name == "as" })
	slices.Sort(names)
	return names
}

// ulimits reads resource limits by name; -1 is no limit.
func ulimits() value[[]specs.POSIXRlimit] {
	both := object(specs.POSIXRlimit{}, nil,
		must(key("soft", "the limit that is in force", rlimit(),
			func(r *specs.POSIXRlimit) *uint64 { return &r.Soft })),
		must(key("hard", "the value up to which it may raise the soft limit itself", rlimit(),
			func(r *specs.POSIXRlimit) *uint64 { return &r.Hard })))
	both.also = []*shape{rlimit().shape}
	all := mapOf(value[specs.POSIXRlimit]{both.shape, func(p *problems, n *node) (specs.POSIXRlimit, bool) {
		if n.kind != mappingKind {
			v, ok := rlimit().read(p, n)
			return specs.POSIXRlimit{Soft: v, Hard: v}, ok
		}
		r, ok := both.read(p, n)
		if r.Soft > r.Hard && n.get("hard") != nil {
			p.wrongAll(n, "the soft limit is above the hard limit")
		}
		return r, ok
	}})
	return value[[]specs.POSIXRlimit]{all.shape, func(p *problems, n *node) (limits []specs.POSIXRlimit, ok bool) {
		entries, ok := all.read(p, n)
		known := ulimitNames()
		for _, e := range entries {
			if !slices.Contains(known, e.key) {
				p.wrongAll(e.node, "unknown limit %q%s", e.key, didYouMean(e.key, known))
			}
			e.value.Type = "RLIMIT_" + strings.ToUpper(e.key)
			limits = append(limits, e.value)
		}
		return limits, ok
	}}
}

// rlimit reads one value of a resource limit.
func rlimit() value[uint64] {
	n := integer(-1, math.MaxInt64)
	return value[uint64]{n.shape, func(p *problems, at *node) (uint64, bool) {
		v, ok := n.read(p, at)
		return uint64(v), ok // -1 becomes RLIM_INFINITY
	}}
}
