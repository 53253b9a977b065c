package config

import (
	"maps"
	"slices"
	"strings"
)

// link turns the names in depends_on into the names of specs. It reports dependencies that can never be
// met, and circles.
func (r *resolver) link(chosen []*draft, byName map[string]*draft) {
	names := slices.Sorted(maps.Keys(byName))
	edges := 0
	for _, d := range chosen {
		for _, e := range d.depends {
			on := byName[e.key]
			if !e.value.required && (on == nil || !on.enabled(r.profiles) || on.none()) {
				continue
			}
			if why := r.cannotCome(d, e, on, names); why != "" {
				r.wrongAll(e.node, "%s", why)
				continue
			}
			for _, name := range on.names() {
				dependency := e.value.Dependency
				dependency.Job = name
				d.After = append(d.After, dependency)
			}
			if edges += on.copies.value; edges > maxEdges {
				r.wrongAll(d.node, "there are more than %d dependencies, replicas counted", maxEdges)
				return
			}
		}
	}
	r.findCircles(chosen, byName)
}

// maxEdges bounds the number of dependencies, which replicas multiply.
const maxEdges = 100_000

// cannotCome returns the reason why the condition of a dependency can never be met; empty if it can.
func (r *resolver) cannotCome(d *draft, e entry[dependency], on *draft, names []string) string {
	name := `"` + e.key + `"`
	switch {
	case on == nil:
		return "there is no service or job " + name + didYouMean(e.key, names)
	case on == d:
		return "it depends on itself"
	case !on.enabled(r.profiles):
		return name + " is not selected: its profiles are " + strings.Join(on.profiles, ", ") +
			"; select one with --profile, or write required: false"
	case on.none():
		return name + " has no replicas (0), so it never starts"
	case len(on.Triggers) > 0:
		return name + " runs by a schedule and not at the start, so this could wait forever"
	case on.Manual:
		return name + " is started on request only (triggers.manual), so this could wait forever"
	}
	switch e.value.Condition {
	case Healthy:
		if on.Health == nil && on.node.get("healthcheck") == nil {
			return name + " has no healthcheck, so it can never be healthy"
		} else if on.Health == nil && !r.has(on.node.get("healthcheck")) {
			return "the healthcheck of " + name + " is off, so it can never be healthy"
		}
	case CompletedSuccessfully:
		if on.Restart.Policy == RestartAlways {
			return name + ` is always restarted, so it never completes; put it under jobs, or write restart: "no"`
		}
	case Started:
	}
	return ""
}

// findCircles reports each circle of dependencies once.
func (r *resolver) findCircles(chosen []*draft, byName map[string]*draft) {
	const unseen, open, done = 0, 1, 2
	state := map[*draft]int{}
	var trail []*draft
	var visit func(d *draft)
	visit = func(d *draft) {
		state[d] = open
		trail = append(trail, d)
		for _, e := range d.depends {
			on := byName[e.key]
			if on == nil || on == d || !on.enabled(r.profiles) {
				continue
			}
			switch state[on] {
			case unseen:
				visit(on)
			case open:
				circle := trail[slices.Index(trail, on):]
				r.wrongAll(circle[0].node.get("depends_on"),
					"the dependencies form a circle: %s; remove one of these dependencies",
					circleOf(circle))
			}
		}
		trail = trail[:len(trail)-1]
		state[d] = done
	}
	for _, d := range chosen {
		if state[d] == unseen {
			visit(d)
		}
	}
}

// circleOf returns the names in a circle, with the first one at the end again.
func circleOf(drafts []*draft) string {
	var names strings.Builder
	for _, d := range drafts {
		names.WriteString(d.Name + " -> ")
	}
	return names.String() + drafts[0].Name
}
