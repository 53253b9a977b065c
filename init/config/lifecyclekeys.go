package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// dependency is an entry of depends_on. If it is not required, it may be missing or disabled.
type dependency struct {
	Dependency
	required bool
}

// lifecycleKeys are the keys about the start, the readiness and the restarts of a job.
func lifecycleKeys() []*field {
	return []*field{
		key("depends_on", "the services and jobs that it waits for, by name, each with a condition", dependsOn(),
			func(d *draft) *[]entry[dependency] { return &d.depends }),
		key("pre_start", "steps that run before it, one after the other, each to its end", listOf(hooks()),
			func(d *draft) *[]hook { return &d.preStart }),
		key("post_start", "steps that run when it is ready", listOf(hooks()),
			func(d *draft) *[]hook { return &d.postStart }),
		key("ready",
			"when it counts as started; notify: it sends READY=1 (sd_notify); fd: N: it writes a newline on that "+
				"descriptor; forking: its main process exits with 0 and a daemon stays; without the key: when it is "+
				"executed",
			readiness(), func(d *draft) *Ready { return &d.Ready }),
		key("start_timeout", "how long it may take to become ready; then the start has failed",
			duration(time.Millisecond),
			func(d *draft) *time.Duration { return &d.StartTimeout }),
		key("watchdog", "the longest time between two WATCHDOG=1 messages (sd_notify); then it is restarted",
			duration(time.Millisecond),
			func(d *draft) *time.Duration { return &d.Watchdog }),
		keyTo("restart", "after which ends it is started again: no, always, unless-stopped, on-failure[:N]", restart(),
			func(p *problems, n *node, d *draft, r Restart) { d.setPolicy(p, n, r.Policy, r.Max) }),
		deployKey(),
	}
}

// dependsOn reads a mapping by name, or a list of names, which stands for the condition service_started.
func dependsOn() value[[]entry[dependency]] {
	all := mapOf(object(dependency{required: true}, nil,
		must(key("condition", "the state that is waited for", word(Started, Healthy, CompletedSuccessfully),
			func(d *dependency) *Condition { return &d.Condition })),
		key("restart", "true: if that one is restarted on request, this one is too", boolean(),
			func(d *dependency) *bool { return &d.Restart }),
		key("required", "false: it may be missing, disabled by its profiles, or scaled to zero", boolean(),
			func(d *dependency) *bool { return &d.required })))
	all.also = []*shape{{item: &shape{schema: schemaText}}}
	all.tidy = func(n *node) *node {
		long := listToMapping(n)
		if long == n {
			return n
		}
		for i, name := range long.pairs {
			condition := &node{
				kind: scalarKind, typ: "!!str", text: string(Started), at: name.value.at, keyAt: name.value.at,
			}
			long.pairs[i].value = &node{
				kind: mappingKind, at: name.value.at, keyAt: name.value.at, pairs: []pair{{"condition", condition}},
			}
		}
		return long
	}
	return all
}

// readiness reads notify, forking or "fd: N", or the mapping {fd: N}, as which YAML reads the unquoted form.
func readiness() value[Ready] {
	schema := `{"anyOf":[{"enum":["notify","forking"]},{"type":"string","pattern":"^fd: *[0-9]+$|\\$"}]}`
	short := quoted(schema, func(s string) (Ready, error) {
		switch number, isFD := strings.CutPrefix(s, "fd:"); {
		case s == string(ReadyNotify) || s == string(ReadyForking):
			return Ready{Kind: ReadyKind(s)}, nil
		case isFD:
			if n, err := strconv.Atoi(strings.TrimSpace(number)); err == nil && n >= minFD && n <= maxFD {
				return Ready{Kind: ReadyFD, FD: n}, nil
			}
			return Ready{}, fmt.Errorf("%q: the descriptor must be a number from %d to %d", s, minFD, maxFD)
		}
		return Ready{}, fmt.Errorf("%q is not one of notify, forking, fd: N", s)
	})
	long := object(Ready{Kind: ReadyFD}, nil,
		must(key("fd", "the descriptor on which it writes a newline when it is ready",
			count(minFD, maxFD), func(r *Ready) *int { return &r.FD })))
	long.also = []*shape{short.shape}
	return value[Ready]{long.shape, func(p *problems, n *node) (Ready, bool) {
		if n.kind == mappingKind {
			return long.read(p, n)
		}
		return short.read(p, n)
	}}
}

// minFD and maxFD bound the descriptors that a job can be given besides its standard ones.
const minFD, maxFD = 3, 1023

// restart reads a restart policy in the short form.
func restart() value[Restart] {
	schema := `{"type":"string","pattern":"^(no|always|unless-stopped|on-failure(:[0-9]+)?)$|\\$"}`
	return quoted(schema, func(s string) (Restart, error) {
		policy, number, limited := strings.Cut(s, ":")
		switch {
		case s == "no":
			return Restart{Policy: RestartNo}, nil
		case s == "always" || s == "unless-stopped": // a job that was stopped on request is never restarted
			return Restart{Policy: RestartAlways}, nil
		case policy == "on-failure" && !limited:
			return Restart{Policy: RestartOnFailure}, nil
		case policy == "on-failure":
			n, err := strconv.ParseUint(number, 10, 31)
			if err != nil {
				return Restart{}, fmt.Errorf("%q: the number of restarts must be a whole number, as in on-failure:3",
					s)
			}
			return Restart{Policy: RestartOnFailure, Max: int(n)}, nil
		}
		return Restart{}, fmt.Errorf("%q is not one of no, always, unless-stopped, on-failure, on-failure:N", s)
	})
}

// setPolicy sets the restart policy and the largest number of restarts; most 0 leaves the number.
func (d *draft) setPolicy(p *problems, n *node, policy RestartPolicy, most int) {
	d.policy.set(p, n, policy)
	d.Restart.Policy = policy
	if most > 0 {
		d.Restart.Max = most
	}
}
