package config

import (
	"slices"
	"syscall"
	"time"
)

// draft is a service or job as it is written. The resolver completes its Spec when all files are read,
// from the keys that depend on each other, on the environment or on other services.
type draft struct {
	Spec
	node *node // the mapping of the service or job

	command, entrypoint []string
	vars                []variable
	envFiles            []envFile
	user                *node
	groups              []*node
	profiles            []string
	depends             []entry[dependency]
	copies              agreed[int]
	policy              agreed[RestartPolicy]
	limits              shortLimits
	preStart, postStart []hook
	preStop             []hook
	triggers            *triggers
}

// agreed is a value that two keys can set. If both do, they must agree.
type agreed[V comparable] struct {
	value V
	node  *node // where the value is set; nil: it is not set
}

// set stores the value of the key at n, or reports that it contradicts the other key.
func (l *agreed[V]) set(p *problems, n *node, v V) {
	if l.node != nil && l.value != v {
		p.wrong(n, "it contradicts %s in line %d; keep one of the two", l.node.path(), l.node.at.line)
		return
	}
	l.value, l.node = v, n
}

// newDraft returns a service or job with the defaults of a file.
func newDraft(service bool) draft {
	d := draft{}
	d.Service = service
	d.StopSignal = syscall.SIGTERM
	d.GracePeriod = ComposeGracePeriod
	d.KillMode, d.Leftovers, d.OnUnhealthy = Mixed, LeftoversStop, UnhealthyNone
	d.Restart = Restart{Policy: RestartNo, Delay: RestartDelay, MaxDelay: RestartMaxDelay, Window: RestartWindow}
	if service {
		d.Restart.Policy = RestartAlways
	}
	return d
}

// enabled reports whether one of its profiles is selected. A draft without profiles is always enabled.
func (d *draft) enabled(profiles []string) bool {
	return len(d.profiles) == 0 || slices.Contains(profiles, "*") ||
		slices.ContainsFunc(d.profiles, func(p string) bool { return slices.Contains(profiles, p) })
}

// none reports whether it is scaled to zero.
func (d *draft) none() bool { return d.copies.node != nil && d.copies.value == 0 }

// ComposeGracePeriod is the default of stop_grace_period in a service or job, which is Compose's.
const ComposeGracePeriod = 10 * time.Second
