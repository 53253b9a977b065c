package config

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestBudget: without a key at the top, the grace periods that are written in the file have the time that
// they need, one after the other along the dependencies. With a key, the file says which do not.
func TestBudget(t *testing.T) {
	const chain = `services:
  db: {command: x, stop_grace_period: 20s}
  web: {command: x, stop_grace_period: 30s, depends_on: [db]}
  proxy: {command: x, depends_on: [web]}
  other: {command: x, stop_grace_period: 40s}
`
	for name, c := range map[string]struct {
		file   string
		budget time.Duration
		cuts   []string
	}{
		"nothing is written":    {"services: {a: {command: x}, b: {command: x, depends_on: [a]}}", DefaultGracePeriod, nil},
		"less than the default": {"services: {a: {command: x, stop_grace_period: 2s}}", DefaultGracePeriod, nil},
		"the longest path":      {chain, 50 * time.Second, nil},
		"a key that is enough":  {chain + "stop_grace_period: 50s", 50 * time.Second, nil},
		"a key that is too short": {chain + "stop_grace_period: 35s", 35 * time.Second, []string{
			"db: its stop_grace_period of 20s can be cut by 15s: with what depends on it a stop takes up to 50s, and the whole shutdown has 35s",
			"other: its stop_grace_period of 40s can be cut by 5s: with it a stop takes up to 40s, and the whole shutdown has 35s",
		}},
		"replicas": {"services: {a: {command: x, stop_grace_period: 15s, scale: 3}}", 15 * time.Second, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := small(t, nil, c.file)
			cuts := f.Cuts()
			if f.GracePeriod != c.budget || !slices.EqualFunc(cuts, c.cuts, strings.HasPrefix) {
				t.Errorf("budget %v, want %v; cuts %q, want %q", f.GracePeriod, c.budget, cuts, c.cuts)
			}
		})
	}
}
