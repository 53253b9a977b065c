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

// identityKeys say whom it runs as, with what rights.
func identityKeys() []*field {
	return []*field{
		key("user", "whom it runs as: NAME|UID[:GROUP|GID]", located(), func(d *draft) **node { return &d.user }),
		key("group_add", "groups besides the user's, by name or number", listOf(located()), func(d *draft) *[]*node { return &d.groups }),
		umaskKey(),
		key("cap_add", "capabilities that it has, such as NET_BIND_SERVICE, or ALL; of those that cginit has", listOf(capabilityName()),
			func(d *draft) *[]string { return &d.CapAdd }),
		key("cap_drop", "capabilities that it has not, or ALL", listOf(capabilityName()), func(d *draft) *[]string { return &d.CapDrop }),
		key("security_opt", "no-new-privileges[:true|false]: it cannot gain rights by executing a program", securityOpt(),
			func(d *draft) *bool { return &d.NoNewPrivileges }),
		keyTo("oom_score_adj", "how soon it is killed when memory is short: -1000 (never) to 1000", count(-1000, 1000),
			func(_ *problems, _ *node, d *draft, n int) { d.OOMScoreAdj = &n }),
		key("ulimits", "resource limits, such as nofile; a number, or soft and hard", ulimits(),
			func(d *draft) *[]specs.POSIXRlimit { return &d.Rlimits }),
	}
}

func umaskKey() *field {
	umask := parsed(schemaNumber, func(s string) (uint32, error) {
		n, err := strconv.ParseUint(strings.TrimPrefix(s, "0o"), 8, 32)
		if err != nil || n > 0o777 || !strings.HasPrefix(s, "0") {
			return 0, fmt.Errorf("%q is not a file mode mask; write it in octal from 0 to 0777, with a zero before it, such as 022", s)
		}
		return uint32(n), nil
	})
	umask.nullable = true
	return keyTo("umask", "the file mode mask, in octal, such as 022", umask,
		func(_ *problems, _ *node, d *draft, n uint32) { d.Umask = &n })
}

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

func securityOpt() value[bool] {
	options := listOf(quoted(schemaText, func(s string) (bool, error) {
		name, on, _ := strings.Cut(strings.Replace(s, "=", ":", 1), ":")
		switch {
		case name != "no-new-privileges":
			return false, fmt.Errorf("%q %ssay it where the container is started; here there is no-new-privileges", s, ofContainer)
		case on != "" && on != "true" && on != "false":
			return false, fmt.Errorf("%q: no-new-privileges is true or false", s)
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

// ulimits are resource limits; -1 is no limit.
func ulimits() value[[]specs.POSIXRlimit] {
	both := object(specs.POSIXRlimit{}, nil,
		must(key("soft", "what is in force", rlimit(), func(r *specs.POSIXRlimit) *uint64 { return &r.Soft })),
		must(key("hard", "how far it may raise that by itself", rlimit(), func(r *specs.POSIXRlimit) *uint64 { return &r.Hard })))
	both.also = []*shape{rlimit().shape}
	all := mapOf(value[specs.POSIXRlimit]{both.shape, func(p *problems, n *node) (specs.POSIXRlimit, bool) {
		if n.kind != mappingKind {
			v, ok := rlimit().read(p, n)
			return specs.POSIXRlimit{Soft: v, Hard: v}, ok
		}
		r, ok := both.read(p, n)
		if r.Soft > r.Hard && n.get("hard") != nil {
			p.wrongAll(n, "the soft limit is above the hard one")
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

func rlimit() value[uint64] {
	n := integer(-1, math.MaxInt64)
	return value[uint64]{n.shape, func(p *problems, at *node) (uint64, bool) {
		v, ok := n.read(p, at)
		return uint64(v), ok // -1 becomes RLIM_INFINITY
	}}
}
