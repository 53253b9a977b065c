package config

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// flagValues has a value for every flag. TestEveryFlag fails for a flag that is not in it.
var flagValues = map[string]string{
	"stop-signal": "QUIT", "stop-grace-period": "3s", "kill-mode": "process", "leftovers": "wait", "timeout": "5s",
	"rewrite": "TERM:INT", "memory": "64m", "cpus": "0.5", "pids-limit": "20", "user": "0:0", "seal": "true", "config": "a.yaml",
	"profile": "p", "check": "true", "json": "true", "detach": "true", "socket": "/run/x.sock", "require": "tree",
	"best-effort-limits": "true", "report": "/r", "log-format": "json", "verbose": "true", "version": "true",
	"help": "true",
}

// flagNames returns the names of all flags that Parse knows, in the order of the help.
func flagNames() (names []string) {
	new(Options).flagSet(new(Limits)).VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

// TestEveryFlagHasAScope holds flagScopes to the flag set: every flag once, and nothing else.
func TestEveryFlagHasAScope(t *testing.T) {
	var scoped []string
	for _, f := range flagScopes {
		scoped = append(scoped, f.name)
	}
	expect(t, "the flags of flagScopes", scoped, flagNames())
}

// TestScopes checks that, with a file, only the flags of a command are refused.
func TestScopes(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none.yaml")
	for _, f := range flagScopes {
		args := []string{"--config", "c.yaml", "--" + f.name + "=" + flagValues[f.name]}
		if f.name == "json" {
			args = append(args, "--check")
		}
		_, err := parse(args, nil, none)
		if refused := err != nil && strings.Contains(err.Error(),
			"--"+f.name+" is for one command"); refused != (f.scope == commandOnly) {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// TestEveryFlagFromTheEnvironment sets each flag by its variable, except the two that ask for a text
// instead of a run.
func TestEveryFlagFromTheEnvironment(t *testing.T) {
	textOnly := []string{"version", "help"}
	for _, name := range flagNames() {
		value, ok := flagValues[name]
		if !ok {
			t.Errorf("there is no value for --%s", name)
			continue
		}
		for _, variable := range variablesOf(name) {
			flags := new(Options).flagSet(new(Limits))
			if err := setFromEnv(flags, []string{variable + "=" + value}); err != nil {
				t.Error(err)
			}
			if got, want := flags.Changed(name), !slices.Contains(textOnly, name); got != want {
				t.Errorf("%s=%s sets --%s: %t, want %t", variable, value, name, got, want)
			}
		}
	}
}
