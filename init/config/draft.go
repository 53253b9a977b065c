package config

import (
	"slices"
	"syscall"
	"time"
)

// draft is a service or job as it is written: what of it depends on other keys, on the
// environment or on other services is put together when all has been read.
type draft struct {
	Spec
	node *node // the mapping

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

// agreed is a value that two keys can set, which must agree then.
type agreed[V comparable] struct {
	value V
	node  *node // where it is set; nil: it is not
}

func (l *agreed[V]) set(p *problems, n *node, v V) {
	if l.node != nil && l.value != v {
		p.wrong(n, "it contradicts %s in line %d; keep one of them", l.node.path(), l.node.at.line)
		return
	}
	l.value, l.node = v, n
}

// newDraft is a service or job of which nothing has been said.
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

// enabled tells whether one of its profiles is selected; one without profiles always is.
func (d *draft) enabled(profiles []string) bool {
	return len(d.profiles) == 0 || slices.Contains(profiles, "*") ||
		slices.ContainsFunc(d.profiles, func(p string) bool { return slices.Contains(profiles, p) })
}

// none tells whether there are to be no copies of it.
func (d *draft) none() bool { return d.copies.node != nil && d.copies.value == 0 }

// ComposeGracePeriod is how long a service may take to stop, unless it says otherwise.
const ComposeGracePeriod = 10 * time.Second
